import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineClient } from "./engine.ts";

/**
 * What a job directory holds of containers, besides what supervisor/formats.h draws. All 0600.
 *
 *     engine             which client makes the job's containers, and of which image the first, as JSON:
 *                        {"client": {"kind": "docker", "path": "/usr/bin/docker"}, "image": "debian:12"}
 *     container-N.env    the variables of step N's container, a line each: NAME=value
 *     container-N        what the engine said of that container when it was over, as JSON: the State of its inspect command. Written under another
 *                        name and renamed, by the service or by the command that settles a step, before the container is removed.
 */

const engineFile = "engine";

export function envFileName(step: number): string {
  return `container-${step}.env`;
}

export function stateFileName(step: number): string {
  return `container-${step}`;
}

export type Made = { client: EngineClient; image: string };

export function writeEngine(directory: string, made: Made): void {
  writeFileSync(join(directory, engineFile), JSON.stringify(made), { mode: 0o600 });
}

/** Null: the job was never given to a supervisor. */
export function readEngine(directory: string): Made | null {
  const text = readIfThere(join(directory, engineFile));
  if (text === null) return null;
  const made: Made = JSON.parse(text);
  return made;
}

export function readState(directory: string, step: number): string | null {
  return readIfThere(join(directory, stateFileName(step)));
}

export function writeState(directory: string, step: number, json: string): void {
  const path = join(directory, stateFileName(step));
  writeFileSync(`${path}.new`, json, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
