/** Gives the share back. A second call does nothing. */
export type Release = () => void;

export type Bounds = { max: number; maxPerIdentity: number };

/** For pages of folders in memory, each about 1 MiB. */
export const pageBounds: Bounds = { max: 256, maxPerIdentity: 64 };

/** Limits something in total and per identity, so that no identity can take all of it. */
export class Shares {
  readonly bounds: Bounds;
  readonly #byIdentity = new Map<string, number>();
  #taken = 0;

  constructor(bounds: Bounds) {
    this.bounds = bounds;
  }

  /** Takes one. `identity` is its key (keyOf). If none is left: "own" if the identity has used its share, "all" if the total is used. */
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
