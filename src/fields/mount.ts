import type { JobSpec } from "../client/index.ts";
import { isObject } from "./field.ts";

/** A mount in one word: `SOURCE:TARGET`, `SOURCE:TARGET:ro`. */

type Mount = NonNullable<NonNullable<JobSpec["Commands"]>[number]["Mounts"]>[number];

export const expectedMount = "a source and a target, as /data:/data or /data:/data:ro";

export function parseMount(word: string): Mount | null {
  const [, source, target, mode] = /^([^:]+):([^:]+)(?::(ro|rw))?$/.exec(word) ?? [];
  if (source === undefined || target === undefined) return null;
  return { Source: source, Target: target, ...(mode === "ro" ? { ReadOnly: true } : {}) };
}

/** Null: it is no mount, or has a colon in a path or a field that the word has no place for. */
export function formatMount(item: unknown): string | null {
  if (!isObject(item)) return null;
  const { Source, Target, ReadOnly = false, ...others } = item;
  if (typeof Source !== "string" || typeof Target !== "string" || typeof ReadOnly !== "boolean") return null;
  const word = `${Source}:${Target}${ReadOnly ? ":ro" : ""}`;
  return Object.keys(others).length === 0 && parseMount(word) !== null ? word : null;
}
