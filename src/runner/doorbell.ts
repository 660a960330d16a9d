import { execFile } from "node:child_process";
import { constants, existsSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";

/**
 * The FIFO by which supervisors say "look at my status". Rings may be lost (it is full, or the service was away): whoever listens must
 * look by itself too, only later.
 */
export function openDoorbell(path: string, onRing: (id: string) => void): { close(): void } {
  // Open for both, so that it never reaches end of file when the last supervisor goes (fifo(7)).
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  let rest = "";
  socket.on("data", (chunk) => {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const id of new Set(lines)) onRing(id);
  });
  return { close: () => void socket.destroy() };
}

/** Makes it where there is none, once for a state directory. Node has no call for that. */
export async function makeDoorbell(path: string): Promise<void> {
  if (!existsSync(path)) await promisify(execFile)("mkfifo", ["-m", "600", path]);
}
