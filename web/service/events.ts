import type { Client, EventsPosition } from "../../src/client/index.ts";
import type { Changes, Listener } from "./changes.ts";
import { untilAnswered } from "./connection.ts";

/**
 * Every change of a job's state, over one connection for the whole page. A hidden tab has no connection, because browsers allow only six to
 * a service, over all tabs.
 */
export class Events implements Changes {
  readonly #client: Client;
  readonly #listeners = new Set<Listener>();
  /** The last event that was taken. The next connection continues there. */
  readonly #position: EventsPosition = { id: null };
  #stop: AbortController | null = null;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Returns the function that unsubscribes. */
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
    untilAnswered(() => this.#listen(stop.signal), { signal: stop.signal }).catch(() => undefined); // the next request shows a refusal
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
