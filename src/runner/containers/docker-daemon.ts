import { Agent, request } from "node:http";

export type Request = {
  name: string;
  /** Keeps what the engine says before the container is removed; false: it could not be kept. Not called for a missing container. */
  keep: (json: string) => boolean;
};

export type DaemonOptions = {
  socketPath: string;
  version: string; // of its API
  timeoutMs: number; // one that takes longer for an answer is taken for silent
};

/**
 * A Docker daemon at a socket of this box, asked without its client: a run of that costs as much as a small job, and those who come
 * meanwhile wait for it. Only what is plain is taken from it; all else the client is asked, whose set-up and words count. Docker Engine
 * API: "Inspect a container", "Remove a container".
 */
export class DockerDaemon {
  readonly #options: DaemonOptions;
  readonly #agent = new Agent({ maxSockets: 8 });

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** As Batches.finalize. Null: the client is to be asked. */
  async finalize({ name, keep }: Request): Promise<boolean | null> {
    const found = await this.#ask("GET", `${name}/json`);
    if (found === "silent") return false;
    // Also where it is missing: the client may have been led to another daemon since (`docker context use`).
    const state = found?.status === 200 ? stateOf(found.text) : null;
    if (state === null) return null;
    if (!keep(state)) return false; // the next try asks again
    const removed = await this.#ask("DELETE", `${name}?force=true&v=true`);
    if (removed === "silent") return false;
    return removed?.status === 204 || isMissing(removed) ? true : null;
  }

  /** "silent": it did not answer in time. Null: it is not there, or not to be understood. */
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

/** The path of a daemon's socket as its client's context says it; null: the daemon is reached in another way. */
export function socketPathOf(host: string): string | null {
  const path = host.startsWith("unix://") ? host.slice("unix://".length) : "";
  return path.startsWith("/") ? path : null;
}

/** Not any 404: a daemon without this version of the API says it too. */
function isMissing(answer: Answer | null): boolean {
  return answer?.status === 404 && /no such container/i.test(answer.text);
}

/** As the client's inspect command says it. */
function stateOf(text: string): string | null {
  try {
    const container: unknown = JSON.parse(text);
    const state = typeof container === "object" && container !== null && "State" in container ? container.State : null;
    return typeof state === "object" && state !== null ? JSON.stringify(state) : null;
  } catch {
    return null;
  }
}
