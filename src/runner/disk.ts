import { statfsSync } from "node:fs";
import { codeOf } from "../lib/error-code.ts";

const freshMs = 100;

/** Checks whether the state directory's disk has more free space than the reserve, which running jobs and the database need to end well. */
export class DiskReserve {
  readonly #path: string;
  readonly #minFreeBytes: number;
  #checkedMs = -Infinity;
  #hasRoom = true;

  constructor(path: string, minFreeBytes: number) {
    this.#path = path;
    this.#minFreeBytes = minFreeBytes;
  }

  hasRoom(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#checkedMs > freshMs) {
      const { bavail, bsize } = statfsSync(this.#path);
      this.#hasRoom = bavail * bsize >= this.#minFreeBytes;
      this.#checkedMs = nowMs;
    }
    return this.#hasRoom;
  }
}

/** Whether an error of Node or SQLite says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return true;
  return "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 13; // SQLITE_FULL
}
