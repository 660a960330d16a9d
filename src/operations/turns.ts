import { setImmediate } from "node:timers/promises";
import { Refusal } from "./refusal.ts";

export type TurnBounds = {
  atOnce: number;
  perIdentity: number; // at once
  waitingPerIdentity: number; // more are refused
};

/** Of a service: the event loop is one, and two of one identity let it read for one while it waits for the other's disk. */
export const turnBounds: TurnBounds = { atOnce: 4, perIdentity: 2, waitingPerIdentity: 200 };

/** Of removals, which are done by a process each and take their time with the disk. */
export const removalBounds: TurnBounds = { atOnce: 8, perIdentity: 2, waitingPerIdentity: 200 };

type Waiting = { start: () => void; isWanted: () => boolean };

/**
 * Work that may be large, a few pieces at once: of all identities, and of each. The others wait, and whoever has asked for much waits
 * behind its own: the identities take turns.
 */
export class Turns {
  readonly #bounds: TurnBounds;
  readonly #waiting = new Map<string, Waiting[]>(); // by identity; the one whose turn is next comes first
  readonly #working = new Map<string, number>();
  #count = 0;

  constructor(bounds: TurnBounds) {
    this.#bounds = bounds;
  }

  /** Does the work when it is its turn; as `take` says. */
  async run<Result>(
    identity: string,
    { isWanted, work }: { isWanted: () => boolean; work: () => Promise<Result> | Result },
  ): Promise<Result> {
    const release = await this.take(identity, isWanted);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /**
   * Resolves when it is its turn, with what ends that, to be called once. `identity` is its key (keyOf). Where it is not wanted any more by
   * then, since the client has gone, the promise stays open. Throws a refusal where the identity has too much waiting.
   */
  async take(identity: string, isWanted: () => boolean): Promise<() => void> {
    if (this.#mayStart(identity)) this.#change(identity, 1);
    else await this.#wait(identity, isWanted);
    return () => {
      this.#change(identity, -1);
      this.#startNext();
    };
  }

  /** For work of which most is done at once, and the rest only when it is its turn. To be disposed of when it is done; as `take` says. */
  pausesOf(identity: string, isWanted: () => boolean): Pauses {
    return new Pauses(() => this.take(identity, isWanted));
  }

  #wait(identity: string, isWanted: () => boolean): Promise<void> {
    const queue = this.#waiting.get(identity) ?? [];
    if (queue.length >= this.#bounds.waitingPerIdentity) throw tooMany(this.#bounds.waitingPerIdentity);
    this.#waiting.set(identity, queue);
    return new Promise((resolve) => queue.push({ start: resolve, isWanted }));
  }

  #mayStart(identity: string): boolean {
    return this.#count < this.#bounds.atOnce && (this.#working.get(identity) ?? 0) < this.#bounds.perIdentity;
  }

  #startNext(): void {
    for (const [identity, queue] of this.#waiting) {
      while (queue.length > 0 && this.#mayStart(identity)) {
        const next = queue.shift();
        if (next?.isWanted() !== true) continue;
        this.#change(identity, 1);
        next.start();
        this.#waiting.delete(identity); // behind the others
        if (queue.length > 0) this.#waiting.set(identity, queue);
        break;
      }
      if (queue.length === 0) this.#waiting.delete(identity);
    }
  }

  #change(identity: string, by: 1 | -1): void {
    this.#count += by;
    const own = (this.#working.get(identity) ?? 0) + by;
    if (own > 0) this.#working.set(identity, own);
    else this.#working.delete(identity);
  }
}

/** The pauses of one piece of work: who comes to the first waits there for its turn. */
export class Pauses implements Disposable {
  readonly #take: () => Promise<() => void>;
  #endTurn: (() => void) | null = null;

  constructor(take: () => Promise<() => void>) {
    this.#take = take;
  }

  /** Others go on meanwhile. */
  async pause(): Promise<void> {
    this.#endTurn ??= await this.#take();
    await setImmediate();
  }

  [Symbol.dispose](): void {
    this.#endTurn?.();
  }
}

function tooMany(waiting: number): Refusal {
  const detail = `${waiting} requests of this identity wait already for such work: ask again when some are answered`;
  return new Refusal("too-many-at-once", detail, { retryAfterSeconds: 1 });
}
