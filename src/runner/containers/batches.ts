import { setTimeout } from "node:timers/promises";
import type { Engine, Inspected } from "./engine.ts";

/** Looks at containers that are over and removes them, many by one run of the engine's client: it costs as much as a small job. */

export type Request = {
  name: string;
  /** Keeps what the engine says before the container is removed; not called where it is missing. */
  keep: (json: string) => void;
};

/** `gone`: nothing of the container is left, and what was kept is all that there will ever be to know of it. */
export type Settled = { isGone: boolean; error: string | null };

type Waiting = Request & { resolve: (settled: Settled) => void };

const maxBatch = 100;

export class Batches {
  readonly #engine: Engine;
  readonly #gatherMs: () => number;
  #waiting: Waiting[] = [];
  #isBusy = false;

  /** `gatherMs`: how long to wait for others before a run, so that they share it. */
  constructor(engine: Engine, gatherMs: () => number) {
    this.#engine = engine;
    this.#gatherMs = gatherMs;
  }

  /** Asks once, and removes. Never rejects. */
  settle(request: Request): Promise<Settled> {
    return new Promise((resolve) => {
      this.#waiting.push({ ...request, resolve });
      if (!this.#isBusy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      await setTimeout(this.#gatherMs());
      await this.#settleAll(this.#waiting.splice(0, maxBatch));
    }
    this.#isBusy = false;
  }

  async #settleAll(batch: Waiting[]): Promise<void> {
    const inspected = await this.#engine.inspect(batch.map(({ name }) => name));
    const found = batch.filter((request) => keepFound(request, inspected.get(request.name)));
    const isRemoved = found.length === 0 || (await this.#engine.remove(found.map(({ name }) => name)));
    for (const request of batch) {
      const answer = inspected.get(request.name);
      const isGone = answer?.kind === "none" || (isRemoved && found.includes(request));
      request.resolve({ isGone, error: answer?.kind === "unknown" ? answer.error : null });
    }
  }
}

/** Whether it is there to be removed. What cannot be kept stays until it can. */
function keepFound({ keep }: Waiting, answer: Inspected | undefined): boolean {
  if (answer?.kind !== "found") return false;
  try {
    keep(answer.json);
    return true;
  } catch {
    return false; // the disk is full: the next try asks again
  }
}
