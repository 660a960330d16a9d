import type { Client, EventsPosition } from "../../src/client/index.ts";
import type { Changes, Listener } from "./changes.ts";
import { untilAnswered } from "./connection.ts";

/**
 * Every change of a job's state, by one connection for all of the page. A tab that nobody sees has none: browsers allow six to a service,
 * whatever the number of tabs.
 */
export class Events implements Changes {
  readonly #client: Client;
  readonly #listeners = new Set<Listener>();
  /** Up to where changes were heard: a tab that is shown again, or a connection that broke, goes on there. */
  readonly #position: EventsPosition = { id: null };
  #stop: AbortController | null = null;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Gives what ends it. */
  start(): () => void {
    const onVisibility = (): void => (document.visibilityState === "visible" ? this.#open() : this.#close());
    document.addEventListener("visibilitychange", onVisibility);
    onVisibility();
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      this.#close();
    };
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #open(): void {
    if (this.#stop !== null) return;
    const stop = new AbortController();
    this.#stop = stop;
    untilAnswered(() => this.#listen(stop.signal), { signal: stop.signal }).catch(() => undefined); // a refusal is said by what asks next
  }

  #close(): void {
    this.#stop?.abort();
    this.#stop = null;
  }

  async #listen(signal: AbortSignal): Promise<void> {
    for await (const event of this.#client.events({ signal, position: this.#position })) {
      const isGap = event.kind === "missing" || (event.kind === "open" && this.#position.id === null);
      for (const listener of this.#listeners) {
        if (event.kind === "job") listener.onJob(event.job);
        else if (isGap) listener.onGap();
      }
    }
  }
}
