import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { TestContext } from "node:test";

/** An HTTP proxy that can be told to fail. `cut`: the request is forwarded, but the answer is not. */
export type Mood =
  | { kind: "answer"; status: number; headers?: Record<string, string> }
  | { kind: "reset" }
  | { kind: "silence" }
  | { kind: "cut" };

export class MoodyProxy {
  readonly #target: () => number;
  readonly #held: ServerResponse[] = [];
  #port = 0;
  /** How the next requests are treated; later ones are forwarded. */
  moods: Mood[] = [];
  /** Instead of those: how a request is treated; null: it is forwarded. */
  moodOf: ((request: IncomingMessage) => Mood | null) | null = null;

  constructor(target: () => number) {
    this.#target = target;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(t: TestContext): Promise<this> {
    const server = createServer((incoming, response) => this.#handle(incoming, response));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    return this;
  }

  #handle(incoming: IncomingMessage, response: ServerResponse): void {
    const mood = this.moodOf === null ? (this.moods.shift() ?? null) : this.moodOf(incoming);
    switch (mood?.kind) {
      case "answer":
        incoming.resume();
        response.writeHead(mood.status, { "Content-Type": "text/html", ...mood.headers }).end("<h1>not now</h1>");
        return;
      case "reset":
        incoming.socket.resetAndDestroy();
        return;
      case "silence":
        this.#held.push(response);
        return;
      case "cut":
        this.#pass(incoming, response, { isCut: true });
        return;
      case undefined:
        this.#pass(incoming, response, { isCut: false });
    }
  }

  #pass(incoming: IncomingMessage, response: ServerResponse, { isCut }: { isCut: boolean }): void {
    const { method = "GET", url = "/", headers } = incoming;
    const sent = request(
      { host: "127.0.0.1", port: this.#target(), method, path: url, headers: { ...headers, connection: "close" }, agent: false },
      (answer) => {
        if (isCut) {
          answer.resume();
          incoming.socket.resetAndDestroy();
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      },
    );
    sent.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on("close", () => sent.destroy());
    incoming.pipe(sent);
  }
}
