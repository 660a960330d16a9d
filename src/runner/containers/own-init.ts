import { closeSync, openSync, readSync } from "node:fs";

/**
 * The supervisor's program as the first process of a container, instead of the engine's init: supervisor/init.c. Output and signals of the
 * container then bypass the engine.
 */

/** Where the folder of streams is mounted: supervisor/streams.h. Not below a folder that an image or a mount may contain. */
export const streamsTarget = "/.jobrunner";

/** The names of the folder of streams, of the file with the client's words beside it, and of the link in it. */
export function streamsName(step: number): string {
  return `streams-${step}`;
}

export function saidName(step: number): string {
  return `${streamsName(step)}.said`;
}

export const workdirName = "workdir";

/**
 * The path of Docker's init (18.09 and later). Our mount there replaces the daemon's (WithMounts in moby's daemon/oci_linux.go). Docker has
 * no option for another init.
 */
export const dockerInitTarget = "/sbin/docker-init";

/** Whether the program runs in any image of its architecture, because it needs no interpreter (elf(5), PT_INTERP). */
export function isStatic(program: string): boolean {
  const head = Buffer.alloc(4096); // the program headers directly follow the ELF header
  const file = openSync(program, "r");
  readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const isElf = head.readUInt32BE(0) === 0x7f454c46;
  const is64 = head[4] === 2 && head[5] === 1; // 64 bits and little endian
  if (!isElf || !is64) return false;
  const [start, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  const types = Array.from({ length: count }, (_, index) => start + index * size)
    .filter((at) => at + 4 <= head.length)
    .map((at) => head.readUInt32LE(at));
  return types.length === count && !types.includes(3);
}
