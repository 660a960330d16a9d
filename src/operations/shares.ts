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

  /** One of it. `identity` is its key (keyOf). Where none is left: of what, "all" that there is or the identity's "own" share. */
  take(identity: string): Release | "all" | "own" {
    const own = this.#byIdentity.get(identity) ?? 0;
    if (own >= this.bounds.maxPerIdentity) return "own";
    if (this.#taken >= this.bounds.max) return "all";
    this.#change(identity, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#change(identity, -1);
      isTaken = false;
    };
  }

  #change(identity: string, by: 1 | -1): void {
    this.#taken += by;
    const own = (this.#byIdentity.get(identity) ?? 0) + by;
    if (own > 0) this.#byIdentity.set(identity, own);
    else this.#byIdentity.delete(identity);
  }
}
