import { isIPv4, type Socket } from "node:net";
import { SockDiag } from "./sock-diag.ts";
import { SocketTables } from "./socket-tables.ts";

/** What the kernel knows of TCP connections and Node does not say. */

/** Of a connection: ours is local. IPv4 addresses as such, also where the socket is one of IPv6. */
export type Ends = { localAddress: string; localPort: number; remoteAddress: string; remotePort: number };

export class KernelSockets {
  readonly #diag: SockDiag;
  readonly #tables = new SocketTables();

  /** `program` answers for single connections; not every kernel lets it, then the tables do, which say the same and are slow. */
  constructor(program: string) {
    this.#diag = new SockDiag(program);
  }

  /** The user id of the process at the other end of a connection within this box; null: not known for sure. */
  async ownerOfOther(ends: Ends): Promise<number | null> {
    return (await this.#diag.ask("owner", ends)) ?? (await this.#tables.ownerOfOther(ends));
  }

  /** How many bytes the kernel has of us that the other side has not acknowledged; null: not known. */
  async unacknowledgedBytes(socket: Socket | null): Promise<number | null> {
    const ends = socket === null ? null : endsOf(socket);
    if (ends === null) return null;
    return (await this.#diag.ask("queue", ends)) ?? (await this.#tables.unacknowledgedBytes(ends));
  }

  /** The program ends; what is asked after that is answered by the tables. */
  close(): void {
    this.#diag.close();
  }
}

/** Null where it is no TCP connection, or is gone already. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined) return null;
  return { localAddress: withoutMapping(localAddress), localPort, remoteAddress: withoutMapping(remoteAddress), remotePort };
}

export function isLoopback(address: string): boolean {
  return isIPv4(address) ? address.startsWith("127.") : address === "::1";
}

function withoutMapping(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}
