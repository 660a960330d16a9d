import { execFile } from "node:child_process";
import { constants, existsSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import type { StatusUpdate } from "./status.ts";

export type DoorbellEvents = {
  /** A job's status file has grown. `update`: the lines in the ring; null: read the file. */
  onRing: (id: string, update: StatusUpdate | null) => void;
  /** Reading the FIFO has failed, so no ring will be reported any more. */
  onError: (error: Error) => void;
};

/**
 * The FIFO by which supervisors report that a status file has grown, drawn in supervisor/formats.h. Rings may be lost (the FIFO is full, or
 * the service did not run), so the listener must also check by itself. Rings of one job that are read together are reported together.
 */
export function openDoorbell(path: string, { onRing, onError }: DoorbellEvents): { close(): void } {
  // Opened for reading and writing, so that it never reaches end of file when the last supervisor ends (fifo(7)).
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const rings = new Rings();
  socket.on("error", onError);
  socket.on("data", (chunk) => {
    for (const [id, update] of rings.read(chunk.toString("latin1"))) onRing(id, update);
  });
  return { close: () => void socket.destroy() };
}

/** Creates the FIFO of a state directory if there is none. Node has no call for that. */
export async function makeDoorbell(path: string): Promise<void> {
  if (!existsSync(path)) await promisify(execFile)("mkfifo", ["-m", "600", path]);
}

/** Parses the bytes of the FIFO into rings. Each ring was written whole; a read may end within one. */
export class Rings {
  #rest = "";
  #open: { id: string; offset: number; lines: string[] } | null = null;

  /** The jobs that rang, with the lines of their status files in the rings; null: the file must be read. */
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
