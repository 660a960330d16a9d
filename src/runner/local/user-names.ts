import type { WaitedProcess } from "../../job/facts.ts";
import { nameOfUser } from "../accounts.ts";

/** Names of users by their IDs. Each name is looked up once, and callers do not wait for it. */
export class UserNames {
  readonly #known = new Map<number, string>();
  readonly #asked = new Map<number, Promise<void>>();

  /**
   * The process with its user's name, or the ID if the user has no name. Null: the name is not known yet; `onKnown` is called when it is.
   */
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
