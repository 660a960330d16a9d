import { InvalidArgumentError } from "commander";

/** Values of options. */

const unitSeconds: Record<string, number> = { "": 1, ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds, or with a unit: 90, 1.5h, 2d. */
export function seconds(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|[smhdw]?)$/.exec(text) ?? [];
  const factor = unitSeconds[unit];
  if (number !== undefined && factor !== undefined) return Number(number) * factor;
  throw new InvalidArgumentError("give seconds, or a number with a unit: 90, 30s, 10m, 2h, 1d");
}

/** Bytes, or with a unit, of 1024 each: 512m, 1.5g. */
export function bytes(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([kmgt]?)b?$/i.exec(text) ?? [];
  if (number !== undefined) return Math.round(Number(number) * 1024 ** ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase()));
  throw new InvalidArgumentError("give bytes, or a number with a unit: 512m, 1.5g");
}

export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("give a whole number");
}

export function number(text: string): number {
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError("give a number");
}

/** For options that are given several times. */
export function gather(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** `NAME=VALUE` into its parts; null where there is no "=". */
export function pair(text: string): [name: string, value: string] | null {
  const at = text.indexOf("=");
  return at < 0 ? null : [text.slice(0, at), text.slice(at + 1)];
}
