// A small HTTP client with kept connections and checked JSON.
import { Agent, request } from "node:http";
import { codeOf } from "../../src/lib/error-code.ts";

export type Answer = {
  status: number;
  text: string;
};

export class Client {
  readonly port: number;
  #agent: Agent;

  constructor(port: number, connections = 16) {
    this.port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Repeats a request when the server has closed the kept connection meanwhile, as the manual of node:http advises. */
  async call(method: string, path: string, body?: string): Promise<Answer> {
    for (;;) {
      const answer = await this.#once(method, path, body);
      if (answer !== "stale connection") return answer;
    }
  }

  #once(method: string, path: string, body?: string): Promise<Answer | "stale connection"> {
    return new Promise((done, fail) => {
      const outgoing = request({ host: "127.0.0.1", port: this.port, method, path, agent: this.#agent, timeout: 120_000 }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part)).on("error", fail);
        answer.on("end", () => {
          done({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() });
        });
      });
      outgoing.on("error", (error) => {
        if (outgoing.reusedSocket && codeOf(error) === "ECONNRESET") done("stale connection");
        else fail(error);
      });
      outgoing.on("timeout", () => {
        outgoing.destroy(new Error(`${method} ${path}: no answer in 120 s`));
      });
      if (body !== undefined) outgoing.setHeader("Content-Type", "application/json");
      outgoing.end(body);
    });
  }

  async json(method: string, path: string, body?: object): Promise<unknown> {
    const { status, text } = await this.call(method, path, body === undefined ? undefined : JSON.stringify(body));
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  async submit(job: object): Promise<string> {
    return stringField(await this.json("POST", "/", job), "ID");
  }

  /** Waits until a job is finished and returns it. */
  async finished(id: string, seconds: number): Promise<unknown> {
    return this.json("GET", `/${id}/wait?timeout=${seconds}`);
  }

  async running(): Promise<string[]> {
    return listField(await this.json("GET", "/"), "IDs").filter((id) => typeof id === "string");
  }

  close(): void {
    this.#agent.destroy();
  }
}

export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw new Error(`expected an object with ${name}`);
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

export function stringField(value: unknown, name: string): string {
  const found = field(value, name);
  if (typeof found !== "string") throw new Error(`${name} is no string: ${JSON.stringify(found)}`);
  return found;
}

export function listField(value: unknown, name: string): unknown[] {
  const found = field(value, name);
  if (!Array.isArray(found)) throw new Error(`${name} is no list: ${JSON.stringify(found)}`);
  return found;
}

export function nextCursor(page: unknown): string | null {
  const found = typeof page === "object" && page !== null && "NextCursor" in page ? page.NextCursor : null;
  return typeof found === "string" && found !== "" ? found : null;
}

/** Calls a function for each item, with `lanes` calls at a time. */
export async function inParallel<Item>(items: readonly Item[], lanes: number, work: (item: Item) => Promise<void>): Promise<void> {
  const iterator = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of iterator) await work(item);
    }),
  );
}
