import { execFile } from "node:child_process";
import { constants, existsSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import type { StatusUpdate } from "./status.ts";

/**
 * The FIFO by which supervisors say "look at my status", drawn in supervisor/formats.h. Rings may be lost (it is full, or the service was away): whoever
 * listens must look by itself too, only later. What rings of one job brought that are read together is told together.
 */
export function openDoorbell(path: string, onRing: (id: string, update: StatusUpdate | null) => void): { close(): void } {
  // Open for both, so that it never reaches end of file when the last supervisor goes (fifo(7)).
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const rings = new Rings();
  socket.on("data", (chunk) => {
    for (const [id, update] of rings.read(chunk.toString("latin1"))) onRing(id, update);
  });
  return { close: () => void socket.destroy() };
}

/** Makes it where there is none, once for a state directory. Node has no call for that. */
export async function makeDoorbell(path: string): Promise<void> {
  if (!existsSync(path)) await promisify(execFile)("mkfifo", ["-m", "600", path]);
}

/** From the bytes of the FIFO to rings. Each was written whole; a read may end within one. */
export class Rings {
  #rest = "";
  #open: { id: string; offset: number; lines: string[] } | null = null;

  /** The jobs that were rung for, with what the rings brought of their status files; null: that is to be read. */
  read(text: string): Map<string, StatusUpdate | null> {
    const rung = new Map<string, StatusUpdate | null>();
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, id, offset] = /^at (\S+) (\d+)$/.exec(line) ?? [];
      if (id !== undefined) this.#open = { id, offset: Number(offset), lines: [] }; // no line of a status file begins so
      else if (this.#open === null) rung.set(line, null);
      else if (line === this.#open.id) this.#close(this.#open, rung);
      else this.#open.lines.push(line);
    }
    return rung;
  }

  #close({ id, offset, lines }: { id: string; offset: number; lines: string[] }, rung: Map<string, StatusUpdate | null>): void {
    this.#open = null;
    const update = { offset, text: lines.map((line) => `${line}\n`).join("") };
    const before = rung.get(id);
    rung.set(id, before === undefined ? update : joined(before, update));
  }
}

function joined(before: StatusUpdate | null, { offset, text }: StatusUpdate): StatusUpdate | null {
  if (before === null || before.offset + before.text.length !== offset) return null;
  return { offset: before.offset, text: before.text + text };
}
