import { type Color, createAnsiSequenceParser, type DecorationType } from "ansi-sequence-parser";
import { safeLink } from "./safe-link.ts";

/** A line as a terminal would show it, as text and styles. All other escape sequences are ignored. */

/** One of the terminal's sixteen colours by number, or any colour by its parts, each from 0 to 255. */
export type Colour = { kind: "palette"; number: number } | { kind: "rgb"; rgb: readonly [number, number, number] };

export type Style = { foreground: Colour | null; background: Colour | null; decorations: ReadonlySet<DecorationType> };

/** Text of one style; null: the default style. `link`: the target of the link that the text is part of. */
export type Run = { text: string; isStderr: boolean; style: Style | null; link: string | null };

/** Takes the lines of an output in order: a style lasts until a sequence ends it. */
export class Styler {
  readonly #parser = createAnsiSequenceParser();

  /** `sgr`: the style that holds before the first text, as parameters of a sequence. */
  constructor(sgr = "") {
    this.#parser.parse(singly(sgr));
  }

  /** The style that holds now, as parameters of a sequence. */
  get sgr(): string {
    const [token] = this.#parser.parse("x");
    if (token === undefined) return "";
    const decorations = [...token.decorations].map((one) => decorationCodes[one]);
    return [...decorations, ...codesOf(token.foreground, 0), ...codesOf(token.background, 10)].join(";");
  }

  reset(): void {
    this.#parser.parse("\x1b[0m");
  }

  /** Applies only the styles of the text. */
  skip(text: string): void {
    if (text.includes("\x1b")) this.#parser.parse(stylesAlone(text));
  }

  /** `isOpen`: more may come to the line. */
  runsOf(line: string, { isStderr, isOpen = false }: { isStderr: boolean; isOpen?: boolean }): Run[] {
    return this.#linked(this.#shownOf(line.replace(/\r?\n$/, ""), isOpen)).flatMap(({ text, link }) =>
      this.#parser.parse(stylesAlone(text)).flatMap(({ value, foreground, background, decorations }) => {
        const shown = withoutControls(value);
        if (shown === "") return [];
        const isPlain = foreground === null && background === null && decorations.size === 0;
        const style = isPlain
          ? null
          : { foreground: colourOf(foreground), background: colourOf(background), decorations: new Set(decorations) };
        return [{ text: shown, isStderr, style, link }];
      }),
    );
  }

  /** The last complete text of a line that is overwritten again and again, such as a progress bar. */
  #shownOf(line: string, isOpen: boolean): string {
    const text = line.replace(/\r+$/, "");
    let at = text.lastIndexOf("\r") + 1;
    if (at === 0) return text;
    if (isOpen && text === line) {
      const before = text.slice(0, at).replace(/\r+$/, "");
      const beforeAt = before.lastIndexOf("\r") + 1;
      if (before.length - beforeAt > text.length - at) {
        this.skip(text.slice(0, beforeAt));
        return before.slice(beforeAt); // what follows it is not all there yet
      }
    }
    this.skip(text.slice(0, at));
    return text.slice(at);
  }

  /** The parts of a text by the link that holds for them (OSC 8). A link ends with its line. */
  #linked(text: string): { text: string; link: string | null }[] {
    if (!text.includes("\x1b]8;")) return [{ text, link: null }];
    const parts: { text: string; link: string | null }[] = [];
    let link: string | null = null;
    let start = 0;
    for (const { index, 0: sequence, 1: target = "" } of text.matchAll(links)) {
      parts.push({ text: text.slice(start, index), link });
      link = safeLink(target);
      start = index + sequence.length;
    }
    return [...parts, { text: text.slice(start), link }];
  }
}

/** `OSC 8 ; parameters ; target ST`: what follows is a link, until another one or an empty target. */
const links = new RegExp(String.raw`\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]*)(?:\x07|\x1b\\)`, "g");

/**
 * ECMA-48: control sequences, strings with their terminator, and other escapes. A string without a terminator does not count, because it
 * would hide everything after it.
 */
const escapes = new RegExp(String.raw`\x1b(?:\[([0-?]*)([ -/]*[@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\-~]|)`, "g");

/** Removes all sequences except those that set styles (SGR), which are rewritten in the form that the parser supports. */
function stylesAlone(text: string): string {
  if (!text.includes("\x1b")) return text;
  return text.replace(escapes, (_all, parameters: string | undefined, end: string | undefined) => {
    if (parameters === undefined || end !== "m" || /[<-?]/.test(parameters)) return "";
    return singly(parameters);
  });
}

/** A sequence for each setting, because the parser takes those of one sequence in another order. */
function singly(parameters: string): string {
  const parts = parameters.split(";");
  let sequences = "";
  for (let at = 0; at < parts.length;) {
    const first = parts[at] ?? "";
    const count = !/^(?:38|48|58)$/.test(first) ? 1 : parts[at + 1] === "2" ? 5 : parts[at + 1] === "5" ? 3 : 2;
    if (!first.startsWith("58"))
      sequences += `\x1b[${parts
        .slice(at, at + count)
        .map(parameterOf)
        .join(";")}m`;
    at += count;
  }
  return sequences;
}

/** ITU T.416 writes parts of a colour with colons: `38:2::255:0:0`, `38:5:9`, and kinds of underline: `4:3`, none is `4:0`. */
function parameterOf(text: string): string {
  if (!text.includes(":")) return text === "" ? "0" : text;
  const [kind = "", mode = "", ...values] = text.split(":");
  if (kind === "4" && mode === "0") return "24";
  if (kind !== "38" && kind !== "48") return kind;
  return [kind, mode, ...(mode === "2" ? values.slice(-3) : values.slice(0, 1))].join(";");
}

const decorationCodes: Record<DecorationType, number> = {
  bold: 1,
  dim: 2,
  italic: 3,
  underline: 4,
  reverse: 7,
  hidden: 8,
  strikethrough: 9,
  overline: 53,
};

/** `shift`: 10 for a background. */
function codesOf(colour: Color | null, shift: 0 | 10): (string | number)[] {
  if (colour === null) return [];
  switch (colour.type) {
    case "named": {
      const number = numberOf(colour.name);
      return [shift + (number < 8 ? 30 + number : 82 + number)];
    }
    case "table":
      return [shift + 38, 5, colour.index];
    case "rgb":
      return [shift + 38, 2, ...colour.rgb];
  }
}

const controls = new RegExp(String.raw`[\0-\x08\x0a-\x1f\x7f-\x9f]`);
const lowControls = new RegExp(String.raw`[\0-\x08\x0a-\x1f]`, "g");

/** Shows the remaining control characters as symbols. A backspace removes the character before it. */
function withoutControls(text: string): string {
  if (!controls.test(text)) return text;
  return withoutBackspaces(text)
    .replaceAll(lowControls, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replaceAll("\x7f", "␡")
    .replaceAll(/[\x80-\x9f]/g, "");
}

function withoutBackspaces(text: string): string {
  if (!text.includes("\b")) return text;
  const kept: string[] = [];
  for (const character of text) {
    if (character === "\b") kept.pop();
    else kept.push(character);
  }
  return kept.join("");
}

const names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

function numberOf(name: string): number {
  const isBright = name.startsWith("bright");
  return names.indexOf(isBright ? name.slice(6).toLowerCase() : name) + (isBright ? 8 : 0);
}

function colourOf(colour: Color | null): Colour | null {
  if (colour === null) return null;
  switch (colour.type) {
    case "named":
      return { kind: "palette", number: numberOf(colour.name) };
    case "table":
      return tableColour(colour.index);
    case "rgb": {
      const [red, green, blue] = colour.rgb.map((value) => Math.min(255, Math.max(0, value)));
      return { kind: "rgb", rgb: [red ?? 0, green ?? 0, blue ?? 0] };
    }
  }
}

/** The 256 colours: sixteen, a cube of 6 × 6 × 6, and 24 greys. */
function tableColour(index: number): Colour | null {
  if (!Number.isInteger(index) || index < 0 || index > 255) return null;
  if (index < 16) return { kind: "palette", number: index };
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return { kind: "rgb", rgb: [grey, grey, grey] };
  }
  const at = index - 16;
  const level = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  return { kind: "rgb", rgb: [level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6)] };
}
