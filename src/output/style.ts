import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { IndexFile } from "./index-file.ts";
import type { SharedFile, SharedFiles } from "./shared-file.ts";

export type StyleSource = { directory: string; files: SharedFiles };

/** What sets the style of the byte at `offset`; the caller knows the style at `from`, so that nothing before it is looked at. */
export type StyleOptions = { offset: number; from: number };

/**
 * `sgr`: parameters of a sequence that sets the style, empty where there is none. `from`: only what begins at or behind this byte was
 * looked at, the style there comes first; null: nothing before counts.
 */
export type StyleResult = { sgr: string; from: number | null };

/** How much one call looks at, and how much at once: meanwhile nothing else is done. */
export type StyleBounds = { mostBytes: number; mostMs: number; sliceBytes: number };

const bounds: StyleBounds = { mostBytes: 32 << 20, mostMs: 150, sliceBytes: 64 << 10 };
const slicesAtOnce = 8;
/** A longer sequence is no style. */
const longestBytes = 256;

/**
 * The style that holds at a byte of an output, as a terminal would have it that was reset where the step began: read backwards, until
 * everything is reset. Both streams set one style, as they do on a terminal.
 */
export async function styleAt(
  { directory, files }: StyleSource,
  { offset, from }: StyleOptions,
  within: StyleBounds = bounds,
): Promise<StyleResult> {
  await using file = await files.open(join(directory, "output"));
  await using index = await files.open(join(directory, "index"));
  if (file === null) return { sgr: "", from: null };
  const endMs = performance.now() + within.mostMs;
  const floor = Math.max(from, offset - within.mostBytes);
  const stepStart = await new IndexFile(index).stepStart(offset, floor);
  const start = Math.max(floor, stepStart);
  const settings = new Settings();
  const window = new Window(file, within);
  for (let end = offset; end > start;) {
    // Slices begin at multiples, so that callers meet where others stopped.
    const at = Math.max(start, Math.floor((end - 1) / within.sliceBytes) * within.sliceBytes);
    if (settings.addBefore(await window.read(at, end), end - at)) return { sgr: settings.text(), from: null };
    end = at;
    if (end > start && performance.now() > endMs) return { sgr: settings.text(), from: end };
  }
  return { sgr: settings.text(), from: start === stepStart || start === 0 ? null : start };
}

/** Reads a file backwards: much at once, of which a slice is given in each turn of the event loop. */
class Window {
  readonly #file: SharedFile;
  readonly #buffer: Buffer;
  readonly #sliceBytes: number;
  #startBytes = Infinity;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: SharedFile, { sliceBytes }: StyleBounds) {
    this.#file = file;
    this.#sliceBytes = sliceBytes;
    this.#buffer = Buffer.allocUnsafe(slicesAtOnce * sliceBytes + longestBytes);
  }

  /** From `at` to `end`, and a sequence's length behind it. */
  async read(at: number, end: number): Promise<Buffer> {
    if (at >= this.#startBytes) await setImmediate();
    else {
      this.#startBytes = Math.max(0, Math.ceil(end / this.#sliceBytes) - slicesAtOnce) * this.#sliceBytes;
      const wanted = this.#buffer.subarray(0, end - this.#startBytes + longestBytes);
      this.#bytes = wanted.subarray(0, await this.#file.readInto(wanted, this.#startBytes));
    }
    return this.#bytes.subarray(at - this.#startBytes, end - this.#startBytes + longestBytes);
  }
}

/**
 * What sets a style, as single settings. Two of the same kind set the same, so that of each kind the last one is kept: there are few,
 * however long the output is.
 */
class Settings {
  /** By kind, the last one of the output first. */
  readonly #byKind = new Map<string, string>();

  /** Adds the sequences that begin in the first bytes of what lies before all that was added. True: a reset was found. */
  addBefore(bytes: Buffer, length: number): boolean {
    if (!bytes.includes(0x1b)) return false;
    const found = [...bytes.toString("latin1").matchAll(sequences)].filter(({ index }) => index < length);
    for (const { 1: parameters = "" } of found.toReversed()) {
      for (const { kind, text } of settingsOf(parameters).toReversed()) {
        if (kind === "reset") return true;
        if (!this.#byKind.has(kind)) this.#byKind.set(kind, text);
      }
    }
    return false;
  }

  text(): string {
    return [...this.#byKind.values()].toReversed().join(";");
  }
}

/** ECMA-48, 8.3.117 SGR. */
const sequences = new RegExp(String.raw`\x1b\[([0-9:;]{0,${longestBytes - 3}})m`, "g");

type Setting = { kind: string; text: string };

/** Colours have further parameters (ITU T.416), by colons or by semicolons: `38:2::1:2:3`, `38;5;9`. */
function settingsOf(parameters: string): Setting[] {
  const parts = parameters.split(";");
  const settings: Setting[] = [];
  for (let at = 0; at < parts.length;) {
    const first = parts[at] ?? "";
    const code = Number.parseInt(first === "" ? "0" : first, 10);
    const isColour = code === 38 || code === 48 || code === 58;
    const count = !isColour || first.includes(":") ? 1 : parts[at + 1] === "2" ? 5 : parts[at + 1] === "5" ? 3 : 2;
    const kind = kindOf(code);
    if (kind !== null) settings.push({ kind, text: parts.slice(at, at + count).join(";") });
    at += count;
  }
  return settings;
}

/** Null: nothing that is known. */
function kindOf(code: number): string | null {
  if (code === 0) return "reset";
  if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) return "foreground";
  if ((code >= 40 && code <= 49) || (code >= 100 && code <= 107)) return "background";
  return code <= 29 || (code >= 50 && code <= 75) ? String(code) : null;
}
