import { Agent, request } from "node:http";

export type Request = {
  name: string;
  /** Stores the engine's report before the container is removed. False: it could not be stored. Not called for a missing container. */
  keep: (json: string) => boolean;
};

export type DaemonOptions = {
  socketPath: string;
  version: string; // of the daemon's API
  timeoutMs: number; // a daemon that needs longer for an answer counts as silent
};

/**
 * A Docker daemon at a socket of this machine, asked without its client. A run of the client costs as much as a small job, and other
 * containers wait for it. Only clear answers of the daemon are used. In all other cases the client is asked, because its configuration and
 * its messages count. Docker Engine API: "Inspect a container", "Remove a container".
 */
export class DockerDaemon {
  readonly #options: DaemonOptions;
  readonly #agent = new Agent({ maxSockets: 8 });

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** Like Batches.finalize. Null: the caller has to ask the client. */
  async finalize({ name, keep }: Request): Promise<boolean | null> {
    const found = await this.#ask("GET", `${name}/json`);
    if (found === "silent") return false;
    // If the container is missing, the client is asked: it may use another daemon since then (`docker context use`).
    const state = found?.status === 200 ? stateOf(found.text) : null;
    if (state === null) return null;
    if (!keep(state)) return false; // the next try asks again
    const removed = await this.#ask("DELETE", `${name}?force=true&v=true`);
    if (removed === "silent") return false;
    return removed?.status === 204 || isMissing(removed) ? true : null;
  }

  /** "silent": the daemon did not answer in time. Null: the request failed. */
  #ask(method: string, what: string): Promise<Answer | "silent" | null> {
    const { socketPath, version, timeoutMs } = this.#options;
    const late = AbortSignal.timeout(timeoutMs);
    return new Promise((resolve) => {
      const failed = (): void => resolve(late.aborted ? "silent" : null);
      const path = `/v${version}/containers/${what}`;
      const asked = request({ socketPath, method, path, agent: this.#agent, signal: late, headers: { Host: "docker" } }, (answer) => {
        const parts: string[] = [];
        answer.setEncoding("utf8").on("data", (part: string) => parts.push(part));
        answer.on("error", failed).on("end", () => resolve({ status: answer.statusCode ?? 0, text: parts.join("") }));
      });
      asked.on("error", failed).end();
    });
  }
}

type Answer = { status: number; text: string };

/** The path of the socket in the host of a client's context; null: the daemon is reached in another way. */
export function socketPathOf(host: string): string | null {
  const path = host.startsWith("unix://") ? host.slice("unix://".length) : "";
  return path.startsWith("/") ? path : null;
}

/** A 404 alone does not prove it: a daemon without this version of the API also answers 404. */
function isMissing(answer: Answer | null): boolean {
  return answer?.status === 404 && /no such container/i.test(answer.text);
}

/** The state in the form of the client's inspect command; null: the answer is not understood. */
function stateOf(text: string): string | null {
  try {
    const container: unknown = JSON.parse(text);
    const state = typeof container === "object" && container !== null && "State" in container ? container.State : null;
    return typeof state === "object" && state !== null ? JSON.stringify(state) : null;
  } catch {
    return null;
  }
}
