/** Gives back what was taken; a second call does nothing. */
export type Release = () => void;

export type Bounds = { max: number; maxPerIdentity: number };

/** Of pages of folders, each a MiB or so. */
export const pageBounds: Bounds = { max: 256, maxPerIdentity: 64 };

/** Something of which there is so much for all identities together, and so much for each, so that none can take it from the others. */
export class Shares {
  readonly bounds: Bounds;
  readonly #byIdentity = new Map<string, number>();
  #taken = 0;

  constructor(bounds: Bounds) {
    this.bounds = bounds;
  }

  get taken(): number {
    return this.#taken;
  }

  /** `identity` is its key (keyOf). Where there is not so much left: of what, "all" that there is or the identity's "own" share. */
  take(identity: string, count = 1): Release | "all" | "own" {
    const own = this.#byIdentity.get(identity) ?? 0;
    if (own + count > this.bounds.maxPerIdentity) return "own";
    if (this.#taken + count > this.bounds.max) return "all";
    this.#change(identity, count);
    let isTaken = true;
    return () => {
      if (isTaken) this.#change(identity, -count);
      isTaken = false;
    };
  }

  #change(identity: string, count: number): void {
    this.#taken += count;
    const own = (this.#byIdentity.get(identity) ?? 0) + count;
    if (own > 0) this.#byIdentity.set(identity, own);
    else this.#byIdentity.delete(identity);
  }
}
