import { execFileSync } from "node:child_process";
import { constants, existsSync, openSync } from "node:fs";
import { Socket } from "node:net";

/**
 * The FIFO by which supervisors say "look at my status". Rings may be lost (it is full, or the service was away): whoever listens must
 * look by itself too, only later.
 */
export function openDoorbell(path: string, onRing: (id: string) => void): { close(): void } {
  if (!existsSync(path)) execFileSync("mkfifo", ["-m", "600", path]);
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
