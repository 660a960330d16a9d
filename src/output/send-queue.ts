import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/** As long as a look at all connections of the box serves all who want to know. */
const freshMs = 200;

let latest: { atMs: number; queues: Promise<Map<string, string>> } | null = null;

/**
 * How much of a TCP connection's bytes the kernel has and the other side has not acknowledged (proc(5), net/tcp: tx_queue), to be compared
 * with an earlier answer; "" where that is not known. Node cannot tell: to it, what the kernel has is gone.
 */
export async function unacknowledged(socket: Socket | null): Promise<string> {
  const { localPort, remotePort } = socket ?? {};
  if (localPort === undefined || remotePort === undefined) return "";
  const nowMs = performance.now();
  if (latest === null || nowMs - latest.atMs > freshMs) latest = { atMs: nowMs, queues: readQueues() };
  return (await latest.queues).get(`${localPort} ${remotePort}`) ?? "";
}

/** By local and remote port; of two clients on different machines with the same port, both queues. */
async function readQueues(): Promise<Map<string, string>> {
  const queues = new Map<string, string>();
  for (const path of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(path, "latin1").catch(() => ""); // without it, finished chunks are all the progress that is seen
    for (const line of text.split("\n").slice(1)) {
      const [, local, remote, , queue] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined) continue;
      const key = `${portOf(local)} ${portOf(remote)}`;
      queues.set(key, `${queues.get(key) ?? ""} ${queue?.split(":")[0] ?? ""}`);
    }
  }
  return queues;
}

/** Of an address such as 0100007F:1F90. */
function portOf(address: string): number {
  return parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
}
