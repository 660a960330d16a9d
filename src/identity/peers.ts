import { isIPv4, type Socket } from "node:net";
import { PeerProcess } from "./peer-process.ts";
import { SocketTables } from "./socket-tables.ts";

/** Whose process is at the other end of a connection: over loopback both ends are sockets of this box, and the kernel knows their owners. */

/** Connections that came in over the unix socket, which its mode keeps for this user and root. The listener adds them. */
export const unixConnections = new WeakSet<Socket>();

/** Of a connection of which both ends are loopback addresses: ours is local. */
export type Ends = { localAddress: string; localPort: number; remoteAddress: string; remotePort: number };

export class LocalPeers {
  readonly #known = new WeakMap<Socket, Promise<number | null>>();
  readonly #process: PeerProcess;
  readonly #tables = new SocketTables();

  constructor(supervisorPath: string) {
    this.#process = new PeerProcess(supervisorPath);
  }

  /** The user id of the process that made the connection; null: it is not of this box, or not known for sure. Looked up once per connection. */
  uidOf(socket: Socket): Promise<number | null> {
    const known = this.#known.get(socket) ?? this.#lookUp(socket);
    this.#known.set(socket, known);
    return known;
  }

  /** Not every kernel answers the process; the tables are the same, and slow. */
  async #lookUp(socket: Socket): Promise<number | null> {
    const ends = loopbackEnds(socket);
    return ends === null ? null : ((await this.#process.uidOf(ends)) ?? (await this.#tables.uidOf(ends)));
  }
}

/** Null where an end is not loopback, or the connection is gone already. */
export function loopbackEnds({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined) return null;
  const [local, remote] = [withoutMapping(localAddress), withoutMapping(remoteAddress)];
  return isLoopback(local) && isLoopback(remote) ? { localAddress: local, localPort, remoteAddress: remote, remotePort } : null;
}

function withoutMapping(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

function isLoopback(address: string): boolean {
  return isIPv4(address) ? address.startsWith("127.") : address === "::1";
}
