import type { Socket } from "node:net";
import { isLoopback } from "../sockets/addresses.ts";
import { endsOf } from "../sockets/ends.ts";
import type { KernelSockets } from "../sockets/kernel-sockets.ts";

/** The user at the other end of a connection: over loopback both ends are sockets of this machine, and the kernel knows their owners. */

/** Connections over the unix socket, whose mode admits only this user and root. The listener adds them. */
export const unixConnections = new WeakSet<Socket>();

export class LocalPeers {
  readonly #sockets: KernelSockets;
  readonly #known = new WeakMap<Socket, Promise<number | null>>();

  constructor(sockets: KernelSockets) {
    this.#sockets = sockets;
  }

  /** The user ID of the client process; null: it is on another machine, or not known for certain. Looked up once per connection. */
  uidOf(socket: Socket): Promise<number | null> {
    const known = this.#known.get(socket) ?? this.#lookUp(socket);
    this.#known.set(socket, known);
    return known;
  }

  async #lookUp(socket: Socket): Promise<number | null> {
    const ends = endsOf(socket);
    if (ends === null || !isLoopback(ends.localAddress) || !isLoopback(ends.remoteAddress)) return null;
    return await this.#sockets.ownerOfOther(ends);
  }
}
