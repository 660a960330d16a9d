import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";

/** HTTP as a client sees it: bytes, headers, trailers; nothing is interpreted or retried. */

export type Answer = {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  body: Buffer;
  text: string;
};

export type CallOptions = { body?: string | Buffer; headers?: Record<string, string | string[]> };

export async function call(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const reader = await open(url, method, path, options);
  await reader.ended;
  const body = reader.received();
  return { status: reader.status, headers: reader.headers, trailers: reader.trailers(), body, text: body.toString() };
}

/** Sends a request and resolves when the headers of the answer have arrived; the body is collected meanwhile. */
export function open(url: string, method: string, path: string, { body, headers = {} }: CallOptions = {}): Promise<Reader> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    // The path is sent unchanged, because some tests are about hostile paths.
    const sent = request({ hostname: hostname.replace(/^\[|\]$/g, ""), port, method, path, headers, agent: false });
    sent.once("error", reject);
    sent.once("response", (response) => resolve(new Reader(sent, response)));
    sent.end(body);
  });
}

/** A response that may still be arriving. */
export class Reader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Resolves at the regular end, rejects when the connection broke before it. */
  readonly ended: Promise<void>;
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  #onData: (() => void)[] = [];

  constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent;
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      for (const wake of this.#onData.splice(0)) wake();
    });
    this.ended = new Promise((resolve, reject) => {
      response.once("end", resolve);
      response.once("error", reject);
      response.once("close", () => reject(new Error("the connection was closed before the end"))); // no effect after "end"
      sent.once("error", reject);
    });
    this.ended.catch(() => undefined); // a test that closes a reader need not await it
  }

  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  trailers(): NodeJS.Dict<string> {
    return this.#response.trailers;
  }

  /** Resolves as soon as the bytes received so far contain `text`. */
  async until(text: string): Promise<void> {
    while (!this.received().includes(text)) {
      const more = new Promise<void>((resolve) => this.#onData.push(resolve));
      const ended = await Promise.race([more.then(() => false), this.ended.then(() => true)]);
      if (ended && !this.received().includes(text)) throw new Error(`ended without ${JSON.stringify(text)}: ${this.received().toString()}`);
    }
  }

  /** Stops reading from the socket, like a stalled reader. */
  stall(): void {
    this.#response.pause();
  }

  /** Reads what has arrived meanwhile, and detects whether the connection was closed. */
  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#request.destroy();
  }
}
