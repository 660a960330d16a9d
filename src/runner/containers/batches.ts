import type { Request } from "./docker-daemon.ts";
import type { Engine, Inspected } from "./engine.ts";

/**
 * Inspects and removes finished containers, many by one run of the engine's client, which costs as much as a small job. Containers that
 * finish during a run share the next one. Measured: waiting for more containers costs more than it saves.
 */

type Waiting = Request & { resolve: (isGone: boolean) => void };

const maxBatch = 100;

export class Batches {
  readonly #engine: Engine;
  #waiting: Waiting[] = [];
  #isWorking = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Inspects the container once, and removes it. Resolves with whether it is gone: then nothing more can be learned about it. */
  finalize(request: Request): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({ ...request, resolve });
      if (!this.#isWorking) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      await this.#finalizeAll(this.#waiting.splice(0, maxBatch));
    }
    this.#isWorking = false;
  }

  async #finalizeAll(batch: Waiting[]): Promise<void> {
    const inspected = await this.#engine.inspect(batch.map(({ name }) => name));
    const found = batch.filter((request) => keepFound(request, inspected.get(request.name)));
    const isRemoved = found.length === 0 || (await this.#engine.remove(found.map(({ name }) => name)));
    for (const request of batch) {
      const answer = inspected.get(request.name);
      request.resolve(answer?.kind === "none" || (isRemoved && found.includes(request)));
    }
  }
}

/** Whether the container exists and may be removed, because the engine's report on it is kept. */
function keepFound({ keep }: Waiting, answer: Inspected | undefined): boolean {
  return answer?.kind === "found" && keep(answer.json);
}
