import type { Store } from "../store/store.ts";
import type { Submission, SubmitResult } from "./submission.ts";

type Accept = (idempotency: Submission["idempotency"]) => Promise<SubmitResult>;

/** The same key with the same body gives the same job, also while the first request is still being accepted. */
export class Idempotency {
  readonly #store: Store;
  readonly #inFlight = new Map<string, { fingerprint: string; result: Promise<SubmitResult> }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Calls `accept`, with the key to record, unless the key is known. */
  async once({ idempotency, submitter }: Submission, accept: Accept): Promise<SubmitResult> {
    if (idempotency === null) return accept(null);
    const { fingerprint } = idempotency;
    // Each owner has its own keys. A key in an HTTP header contains no blank.
    const key = submitter.owner === null ? idempotency.key : `${submitter.owner} ${idempotency.key}`;
    const inFlight = this.#inFlight.get(key);
    if (inFlight !== undefined) return inFlight.fingerprint === fingerprint ? inFlight.result : { kind: "conflict" };
    const known = this.#store.findByKey(key);
    if (known !== null) return known.fingerprint === fingerprint ? { kind: "accepted", id: known.id } : { kind: "conflict" };
    const result = accept({ key, fingerprint });
    this.#inFlight.set(key, { fingerprint, result });
    try {
      return await result;
    } finally {
      this.#inFlight.delete(key);
    }
  }
}
