import { connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A relay to a port of this machine. Its connections break when a test wants it. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  /**
   * How many bytes of answers a connection carries before it breaks: one number for each connection. Without a number, it does not break.
   */
  cuts: number[] = [];
  connections = 0;

  constructor(target: () => number) {
    this.#server = createServer((client) => this.#relay(client, connect(target(), "127.0.0.1")));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(t: TestContext): Promise<this> {
    t.after(() => {
      this.#server.close();
      this.breakAll();
    });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    return this;
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(client: Socket, service: Socket): void {
    this.connections += 1;
    let leftBytes = this.cuts.shift() ?? Infinity;
    client.pipe(service);
    service.on("data", (chunk) => {
      client.write(chunk.subarray(0, leftBytes));
      leftBytes -= chunk.length;
      if (leftBytes <= 0) client.destroySoon();
    });
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
