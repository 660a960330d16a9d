import type { Socket } from "node:net";

/** A connection on which the test writes each byte: what it has received, and whether it is closed. */
export class Connection {
  readonly socket: Socket;
  text = "";
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => (this.text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.once("close", () => (this.isClosed = true));
  }

  /** The statuses of the answers that have begun. */
  statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  }
}
