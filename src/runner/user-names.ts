import { nameOfUser } from "./accounts.ts";

/** Names of users by their numbers, each asked for once: what needs one does not wait for it. */
export class UserNames {
  readonly #known = new Map<number, string>();

  /** The name, or the number until it is known; then `onKnown` is called. */
  of(uid: number, onKnown: () => void): string {
    const known = this.#known.get(uid);
    if (known !== undefined) return known;
    this.#known.set(uid, String(uid));
    void this.#ask(uid, onKnown);
    return String(uid);
  }

  async #ask(uid: number, onKnown: () => void): Promise<void> {
    try {
      this.#known.set(uid, await nameOfUser(uid));
      onKnown();
    } catch {
      this.#known.delete(uid); // asked again when it is next needed
    }
  }
}
