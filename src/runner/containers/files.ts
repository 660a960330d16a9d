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
 * The files for containers in a job directory, besides those that supervisor/formats.h draws. All have mode 0600.
 *
 *     engine             the client that creates the job's containers, and the image of the first one, as JSON:
 *                        {"client": {"kind": "docker", "path": "/usr/bin/docker"}, "image": "debian:12"}
 *     container-N.env    the variables of step N's container, one in each line: NAME=value
 *     streams-N          a folder, until the step is finished: see supervisor/streams.h. Its link `workdir` leads to the command's working
 *                        directory in the container
 *     streams-N.said     what the engine's client wrote
 *     container-N        the engine's report on the finished container: the State of its inspect command, as JSON. Before the container is
 *                        removed, the service or the command that finalizes the step writes it under another name and renames it.
 */

const engineFile = "engine";

export function envFileName(step: number): string {
  return `container-${step}.env`;
}

export function stateFileName(step: number): string {
  return `container-${step}`;
}

/**
 * Creates the folder of a container's streams. Any user of the container may enter it; on the host, the job's directory protects it. May be
 * repeated, also while a container uses the folder: the same job gives the same folder.
 */
export function makeStreams(directory: string, { name, workdir }: { name: string; workdir: string }): void {
  const folder = join(directory, name);
  const link = join(folder, workdirName);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(workdir, link); // existsSync would follow the link
}

const maxSaidBytes = 1 << 16;

/** The end of what the client wrote, because its length has no limit. Null: the client wrote to the job's output. */
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

/** Whether the step's container had its own streams to the supervisor. */
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
