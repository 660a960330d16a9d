import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { EngineClient } from "./engine.ts";
import { saidName, workdirName } from "./own-init.ts";
import { codeOf } from "../../lib/error-code.ts";

/**
 * What a job directory holds of containers, besides what supervisor/formats.h draws. All 0600.
 *
 *     engine             which client makes the job's containers, and of which image the first, as JSON:
 *                        {"client": {"kind": "docker", "path": "/usr/bin/docker"}, "image": "debian:12"}
 *     container-N.env    the variables of step N's container, a line each: NAME=value
 *     streams-N          a folder, until the step is finished: supervisor/streams.h. In it `workdir`, a link to where the command
 *                        starts, for programs in the container
 *     streams-N.said     what the engine's client wrote
 *     container-N        what the engine said of that container when it was finished, as JSON: the State of its inspect command. Written
 *                        under another name and renamed, by the service or by the command that finalizes a step, before the
 *                        container is removed.
 */

const engineFile = "engine";

export function envFileName(step: number): string {
  return `container-${step}.env`;
}

export function stateFileName(step: number): string {
  return `container-${step}`;
}

/**
 * Only who can get into the job's directory, and the container, can get into the folder; there all can, whoever the container's user is.
 * May be done again, also while a container uses it: the same job gives the same folder.
 */
export function makeStreams(directory: string, { name, workdir }: { name: string; workdir: string }): void {
  const folder = join(directory, name);
  const link = join(folder, workdirName);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(workdir, link); // not existsSync, which would follow it
}

const maxSaidBytes = 1 << 16;

/** The end of it, since nothing bounds what an engine says. Null: the client wrote where the command did. */
export function readSaid(directory: string, step: number): string | null {
  const path = join(directory, saidName(step));
  if (!existsSync(path)) return null;
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, maxSaidBytes));
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(file);
  }
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

/** Whether the step's container had its own way to the supervisor, past the engine. */
export function hasOwnStreams(directory: string, step: number): boolean {
  return existsSync(join(directory, saidName(step)));
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
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
