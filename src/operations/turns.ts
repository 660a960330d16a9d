import { setImmediate } from "node:timers/promises";
import { Refusal } from "./refusal.ts";

export type TurnBounds = {
  atOnce: number;
  perIdentity: number; // at once
  waitingPerIdentity: number; // more are refused
};

/** For work in the event loop. With two pieces of an identity at once, one computes while the other waits for the disk. */
export const turnBounds: TurnBounds = { atOnce: 4, perIdentity: 2, waitingPerIdentity: 200 };

/** For removals: each is a process of its own, and waits mostly for the disk. */
export const removalBounds: TurnBounds = { atOnce: 8, perIdentity: 2, waitingPerIdentity: 200 };

type Waiting = { start: () => void; isWanted: () => boolean };

/**
 * Limits how many pieces of large work run at once, in total and per identity. The others wait. The identities take turns, so one that asks
 * for much delays only itself.
 */
export class Turns {
  readonly #bounds: TurnBounds;
  readonly #waiting = new Map<string, Waiting[]>(); // by identity; the next one is first
  readonly #working = new Map<string, number>();
  #count = 0;

  constructor(bounds: TurnBounds) {
    this.#bounds = bounds;
  }

  /** Runs the work when it is its turn. Throws and waits as `take` does. */
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
   * Resolves when it is the caller's turn, with the function that ends the turn, to be called once. `identity` is the identity's key
   * (keyOf). If `isWanted` returns false by then, because the client has gone, the promise never settles. Throws a refusal if too much work
   * of the identity is waiting.
   */
  async take(identity: string, isWanted: () => boolean): Promise<() => void> {
    if (this.#mayStart(identity)) this.#change(identity, 1);
    else await this.#wait(identity, isWanted);
    return () => {
      this.#change(identity, -1);
      this.#startNext();
    };
  }

  /** For work that is usually short and takes a turn only if it becomes long. Dispose of it when the work is done. */
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
        this.#waiting.delete(identity); // to the end of the map, behind the others
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

/** The pauses of one piece of work. The first one waits for a turn, which lasts until the work is done. */
export class Pauses implements Disposable {
  readonly #take: () => Promise<() => void>;
  #endTurn: (() => void) | null = null;

  constructor(take: () => Promise<() => void>) {
    this.#take = take;
  }

  /** Lets other work of the event loop run. */
  async pause(): Promise<void> {
    this.#endTurn ??= await this.#take();
    await setImmediate();
  }

  [Symbol.dispose](): void {
    this.#endTurn?.();
  }
}

function tooMany(waiting: number): Refusal {
  const detail = `${waiting} requests of this identity are already waiting for such work: try again when some of them are answered`;
  return new Refusal("too-many-at-once", detail, { retryAfterSeconds: 1 });
}
