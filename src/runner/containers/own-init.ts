import { closeSync, openSync, readSync } from "node:fs";

/**
 * The supervisor's program as the first process of a container, in place of the engine's init: supervisor/init.c. It takes the container's
 * output past the engine, and signals too.
 */

/** Where a container finds its streams: supervisor/streams.h. Not below a folder that an image or a mount may hold. */
export const streamsTarget = "/.jobrunner";

/** Of the streams' folder in the job's directory, the file with what the client said beside it, and the link in it. */
export function streamsName(step: number): string {
  return `streams-${step}`;
}

export function saidName(step: number): string {
  return `${streamsName(step)}.said`;
}

export const workdirName = "workdir";

/**
 * Of Docker, 18.09 and later: a mount of ours there takes the place of the daemon's (WithMounts in moby's daemon/oci_linux.go). It has no
 * word for that.
 */
export const dockerInitTarget = "/sbin/docker-init";

/** Whether the program runs in any image of its architecture: it asks for no interpreter (elf(5), PT_INTERP). */
export function isStatic(program: string): boolean {
  const head = Buffer.alloc(4096); // the program headers follow the ELF header at once
  const file = openSync(program, "r");
  readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const isElf = head.readUInt32BE(0) === 0x7f454c46;
  const is64 = head[4] === 2 && head[5] === 1; // and little endian, as all machines are for which there is a Node.js but one
  if (!isElf || !is64) return false;
  const [start, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  const types = Array.from({ length: count }, (_, index) => start + index * size)
    .filter((at) => at + 4 <= head.length)
    .map((at) => head.readUInt32LE(at));
  return types.length === count && !types.includes(3);
}
