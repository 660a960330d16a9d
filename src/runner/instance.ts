import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { codeOf } from "../lib/error-code.ts";

/**
 * The unique name of this state directory, made once. It marks what belongs to this service in programs that others use too, such as the
 * containers of an engine.
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
