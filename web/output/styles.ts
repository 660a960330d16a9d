import { type Color, createAnsiSequenceParser, type DecorationType } from "ansi-sequence-parser";

/** A line as a terminal would show it, as text and styles. All other escape sequences are ignored. */

/** One of the terminal's sixteen colours by number, or any colour by its parts, each from 0 to 255. */
export type Colour = { kind: "palette"; number: number } | { kind: "rgb"; rgb: readonly [number, number, number] };

export type Style = { foreground: Colour | null; background: Colour | null; decorations: ReadonlySet<DecorationType> };

/** Text of one style; null: the default style. */
export type Run = { text: string; isStderr: boolean; style: Style | null };

/** Takes the lines of a page in order: a style lasts until a sequence ends it. */
export class Styler {
  readonly #parser = createAnsiSequenceParser();

  /** Applies only the styles of the text. */
  skip(text: string): void {
    if (text.includes("\x1b")) this.#parser.parse(stylesAlone(text));
  }

  runsOf(line: string, { isStderr }: { isStderr: boolean }): Run[] {
    const text = this.#shownOf(line.replace(/\r?\n$/, ""));
    return this.#parser.parse(stylesAlone(text)).flatMap(({ value, foreground, background, decorations }) => {
      const shown = withoutControls(value);
      if (shown === "") return [];
      const isPlain = foreground === null && background === null && decorations.size === 0;
      const style = isPlain
        ? null
        : { foreground: colourOf(foreground), background: colourOf(background), decorations: new Set(decorations) };
      return [{ text: shown, isStderr, style }];
    });
  }

  /** The last text of a line that is overwritten again and again, such as a progress bar. */
  #shownOf(line: string): string {
    const text = line.replace(/\r+$/, "");
    const at = text.lastIndexOf("\r");
    if (at === -1) return text;
    this.skip(text.slice(0, at));
    return text.slice(at + 1);
  }
}

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
    return `\x1b[${parameters.split(";").map(parameterOf).join(";") || "0"}m`;
  });
}

/** ITU T.416 writes parts of a colour with colons: `38:2::255:0:0`, `38:5:9`, and kinds of underline: `4:3`. */
function parameterOf(text: string): string {
  if (!text.includes(":")) return text === "" ? "0" : text;
  const [kind = "", mode = "", ...values] = text.split(":");
  if (kind !== "38" && kind !== "48") return kind;
  return [kind, mode, ...(mode === "2" ? values.slice(-3) : values.slice(0, 1))].join(";");
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

function colourOf(colour: Color | null): Colour | null {
  if (colour === null) return null;
  switch (colour.type) {
    case "named": {
      const isBright = colour.name.startsWith("bright");
      const number = names.indexOf(isBright ? colour.name.slice(6).toLowerCase() : colour.name);
      return { kind: "palette", number: number + (isBright ? 8 : 0) };
    }
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
