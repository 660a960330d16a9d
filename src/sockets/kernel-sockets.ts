import type { Socket } from "node:net";
import { type Ends, endsOf } from "./ends.ts";
import { SockDiag } from "./sock-diag.ts";
import { SocketTables } from "./socket-tables.ts";

/** Facts about TCP connections that the kernel knows and Node does not report. */

export class KernelSockets {
  readonly #diag: SockDiag;
  readonly #tables = new SocketTables();

  /** `program` asks about single connections. Not every kernel permits that: then the slow tables give the same answer. */
  constructor(program: string) {
    this.#diag = new SockDiag(program);
  }

  /** The user ID of the process at the other end of a connection within this machine; null: it is not certain. */
  async ownerOfOther(ends: Ends): Promise<number | null> {
    return (await this.#diag.ask("owner", ends)) ?? (await this.#tables.ownerOfOther(ends));
  }

  /** How many sent bytes the other side has not acknowledged; null: unknown. */
  async unacknowledgedBytes(socket: Socket | null): Promise<number | null> {
    const ends = socket === null ? null : endsOf(socket);
    if (ends === null) return null;
    return (await this.#diag.ask("queue", ends)) ?? (await this.#tables.unacknowledgedBytes(ends));
  }

  /** Ends the program. Later questions are answered from the tables. */
  close(): void {
    this.#diag.close();
  }
}
