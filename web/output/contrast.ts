import type { Colour, Style } from "./styles.ts";

/**
 * The colours in which text of the log is shown, in light and in dark. Programs choose colours for a terminal whose ground they do not
 * know, so the foreground is moved towards white or black until it can be read on the background that is shown (WCAG 2.2, 1.4.3).
 */

export type Rgb = readonly [number, number, number];
export type Theme = "light" | "dark";
type Pair = { foreground: Rgb; background: Rgb | null };

/** WCAG 2.2, success criterion 1.4.3: the least for text. */
export const leastContrast = 4.5;

/** What is behind text without a background of its own, as in the style sheets: rows that are plain, hovered, chosen and found. */
export const rowGrounds: Record<Theme, readonly Rgb[]> = {
  light: [hex("#ffffff"), hex("#f5f5f5"), hex("#e6effc"), hex("#fdf3da")],
  dark: [hex("#161b22"), hex("#22272d"), hex("#17273f"), hex("#30260f")],
};

const textColours: Record<Theme, Rgb> = { light: hex("#1b2129"), dark: hex("#e3e8ee") };
const stderrColours: Record<Theme, Rgb> = { light: hex("#8f1d16"), dark: hex("#ffb3ad") };

/** The terminal's sixteen colours, as text. */
const palette: Record<Theme, readonly Rgb[]> = {
  light: coloursOf(
    "#24292f #b3261e #116329 #7a4b00 #0a50b3 #7d2fa8 #0f5f69 #57606a",
    "#57606a #c0281f #176b35 #855300 #0b5fd0 #9339c4 #146b75 #1b2129",
  ),
  dark: coloursOf(
    "#7d8590 #ff7b72 #56d364 #e3b341 #79b8ff #d2a8ff #56d4dd #d0d7de",
    "#9aa4af #ffa198 #7ee787 #f2cc60 #a5d0ff #e2c5ff #86e3ea #ffffff",
  ),
};
/** A background of the sixteen is this share of its colour. */
const softShare = 0.22;
/** Dim text keeps this share of its colour. */
const dimShare = 0.7;

/** The light of each value of a part of an sRGB colour. */
const linearValues = Float64Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];

/** As CSS has it; null: what the page's text has anyway. */
export type Look = { color: string | null; backgroundColor: string | null };

const plainLook: Look = { color: null, backgroundColor: null };
const mostLooks = 4096;
const looks = new Map<string, Look>();

/** Kept, because lines of an output have few different looks. */
export function lookOf(style: Style | null, { isStderr }: { isStderr: boolean }): Look {
  if (style === null && !isStderr) return plainLook;
  const key = `${isStderr} ${style === null ? "" : JSON.stringify([style.foreground, style.background, isDim(style), isReverse(style)])}`;
  const known = looks.get(key);
  if (known !== undefined) return known;
  if (looks.size >= mostLooks) looks.clear();
  const [light, dark] = [shownPair(style, { isStderr, theme: "light" }), shownPair(style, { isStderr, theme: "dark" })];
  const look = {
    color: `light-dark(${cssOf(light.foreground)}, ${cssOf(dark.foreground)})`,
    backgroundColor:
      light.background === null || dark.background === null ? null : `light-dark(${cssOf(light.background)}, ${cssOf(dark.background)})`,
  };
  looks.set(key, look);
  return look;
}

/** The foreground can be read on the background or, where that is null, on every ground of a row. */
export function shownPair(style: Style | null, { isStderr, theme }: { isStderr: boolean; theme: Theme }): Pair {
  const ownText = isStderr ? stderrColours[theme] : textColours[theme];
  const [foreground, background] = style === null ? [null, null] : [style.foreground, style.background];
  const isSwapped = style !== null && isReverse(style);
  const wanted = isSwapped
    ? {
        foreground: background === null ? surfaceOf(theme) : solid(background, theme),
        background: foreground === null ? ownText : solid(foreground, theme),
      }
    : {
        foreground: foreground === null ? ownText : solid(foreground, theme),
        background: background === null ? null : soft(background, theme),
      };
  const grounds = wanted.background === null ? rowGrounds[theme] : [wanted.background];
  const text = style !== null && isDim(style) ? mix(wanted.foreground, grounds[0] ?? surfaceOf(theme), dimShare) : wanted.foreground;
  return { foreground: readable(text, grounds), background: wanted.background };
}

/** WCAG 2.2, "contrast ratio": 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** The colour, moved no further towards white or black than it must be. One of both can be read on every ground. */
function readable(colour: Rgb, grounds: readonly Rgb[]): Rgb {
  const canBeRead = (one: Rgb): boolean => grounds.every((ground) => contrast(one, ground) >= leastContrast);
  if (canBeRead(colour)) return colour;
  const isLighter = grounds.every((ground) => luminance(colour) >= luminance(ground));
  const ends = isLighter ? [white, black] : [black, white];
  const end = ends.find(canBeRead) ?? black;
  let [low, high] = [0, 255]; // of 255 parts: what can be read at one is so at all above it
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (canBeRead(mix(end, colour, middle / 255))) high = middle;
    else low = middle;
  }
  return mix(end, colour, high / 255);
}

/** WCAG 2.2, "relative luminance". */
function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(value: number): number {
  return linearValues[Math.round(value)] ?? 1;
}

function solid(colour: Colour, theme: Theme): Rgb {
  return colour.kind === "rgb" ? colour.rgb : (palette[theme][colour.number] ?? textColours[theme]);
}

function soft(colour: Colour, theme: Theme): Rgb {
  return colour.kind === "rgb" ? colour.rgb : mix(solid(colour, theme), surfaceOf(theme), softShare);
}

function surfaceOf(theme: Theme): Rgb {
  return rowGrounds[theme][0] ?? white;
}

function mix(one: Rgb, other: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2): number => Math.round(one[index] * share + other[index] * (1 - share));
  return [part(0), part(1), part(2)];
}

function isDim({ decorations }: Style): boolean {
  return decorations.has("dim");
}

function isReverse({ decorations }: Style): boolean {
  return decorations.has("reverse");
}

function cssOf(colour: Rgb): string {
  return `rgb(${colour.join(" ")})`;
}

function coloursOf(...rows: string[]): Rgb[] {
  return rows.flatMap((row) => row.split(" ").map(hex));
}

function hex(text: string): Rgb {
  const part = (at: number): number => Number.parseInt(text.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}
