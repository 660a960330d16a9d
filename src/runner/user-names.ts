import { nameOfUser } from "./accounts.ts";

/** Names of users by their numbers, each asked for once: what needs one does not wait for it. */
export class UserNames {
  readonly #known = new Map<number, string>();
  readonly #asked = new Map<number, Promise<void>>();

  /** The name, or the number where there is none; null until it is known, then `onKnown` is called. */
  of(uid: number, onKnown: () => void): string | null {
    const known = this.#known.get(uid);
    if (known !== undefined) return known;
    const asked = this.#asked.get(uid) ?? this.#ask(uid);
    this.#asked.set(uid, asked);
    void asked.then(onKnown);
    return null;
  }

  async #ask(uid: number): Promise<void> {
    this.#known.set(uid, await nameOfUser(uid).catch(() => String(uid)));
  }
}
