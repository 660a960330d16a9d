import type { Client, Job } from "../../src/client/index.ts";

/**
 * Where in the output each step begins. Requested when needed. The service finds it at once, because the bytes of a step come after those
 * of all earlier steps.
 */
export class StepStarts {
  readonly #client: Client;
  readonly #id: string;
  readonly #known = new Map<number, number>();

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.#id = id;
  }

  /** The offset of the step's first byte; null: it has written nothing (yet). Throws what the client throws. */
  async of(step: number, { Steps }: Job): Promise<number | null> {
    const known = this.#known.get(step);
    if (known !== undefined) return known;
    const offsetBytes = Steps.reduce((sum, { Number, OutputBytes }) => sum + (Number < step ? (OutputBytes ?? 0) : 0), 0);
    for await (const piece of this.#client.attach(this.#id, { step, offsetBytes, isFollowing: false })) {
      if (piece.kind !== "output") continue;
      this.#known.set(step, piece.offsetBytes);
      return piece.offsetBytes;
    }
    return null;
  }

  /** Where the next step with output begins; null: there is none. */
  async behind(step: number, job: Job): Promise<number | null> {
    for (const { Number, StartedAt, OutputBytes } of job.Steps) {
      if (Number <= step || StartedAt === null || OutputBytes === 0) continue;
      const start = await this.of(Number, job);
      if (start !== null) return start;
    }
    return null;
  }
}
