import type { WaitedProcess } from "../../job/facts.ts";
import { nameOfUser } from "../accounts.ts";

/** Names of users by their numbers, each asked for once: what needs one does not wait for it. */
export class UserNames {
  readonly #known = new Map<number, string>();
  readonly #asked = new Map<number, Promise<void>>();

  /** The process with its user's name, or the number where there is none; null until that is known, then `onKnown` is called. */
  added(process: WaitedProcess | null, onKnown: () => void): WaitedProcess | null {
    if (process === null) return null;
    const { uid } = process;
    const user = this.#known.get(uid);
    if (user !== undefined) return { ...process, user };
    const asked = this.#asked.get(uid) ?? this.#ask(uid);
    this.#asked.set(uid, asked);
    void asked.then(onKnown);
    return null;
  }

  async #ask(uid: number): Promise<void> {
    this.#known.set(uid, await nameOfUser(uid).catch(() => String(uid)));
  }
}
