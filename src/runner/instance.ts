import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { codeOf } from "../lib/error-code.ts";

/**
 * The name of this state directory among all on any box, made once: what it has with programs that serve others too is known by it, the
 * containers of an engine for one.
 */
export function readInstance(path: string): string {
  try {
    const text = readFileSync(path, "utf8").trim();
    if (text !== "") return text;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const instance = randomUUID();
  writeFileSync(`${path}.new`, `${instance}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return instance;
}
