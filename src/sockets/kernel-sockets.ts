import type { Socket } from "node:net";
import { type Ends, endsOf } from "./ends.ts";
import { SockDiag } from "./sock-diag.ts";
import { SocketTables } from "./socket-tables.ts";

/** What the kernel knows of TCP connections and Node does not say. */

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
