import type { Answered, Body } from "./answered.ts";
import type { Api } from "./api.ts";
import { attachPieces, type Attaching, type Piece, type Query } from "./attach.ts";
import { longestMsOf, type Transport } from "./transport.ts";
import type { JobSpec, WholeJob } from "./types.ts";

/** `answerMs`: the time limit for the answer to a request that waits for nothing, without the time to send its body. */
type Sending = { api: Api; transport: Transport; answerMs: number };

export type Following = Pick<Attaching, "backoff" | "connecting"> & {
  /** Opens the output of the submitted job. */
  open: (id: string, query: Query, signal: AbortSignal) => Promise<Body>;
  /** The job is killed if the connection of the submission breaks before its end. */
  isKilledOnDisconnect: boolean;
  /** Called once, before the first piece. */
  onSubmitted: (id: string) => void;
};

/** One submission of a job. All its requests have the same Idempotency-Key, so the job runs only once, however often they are sent. */
export class Submission {
  readonly #sending: Sending;
  readonly #spec: JobSpec;
  readonly #params: { header: { "Idempotency-Key": string } };
  readonly #limitMs: number;

  constructor(sending: Sending, { spec, idempotencyKey = newKey() }: { spec: JobSpec; idempotencyKey: string | undefined }) {
    this.#sending = sending;
    this.#spec = spec;
    this.#params = { header: { "Idempotency-Key": idempotencyKey } };
    this.#limitMs = sending.answerMs + longestMsOf(JSON.stringify(spec).length);
  }

  /** The ID of the job, as soon as the job is on disk. */
  async id(signal: AbortSignal | undefined): Promise<string> {
    const { api, transport } = this.#sending;
    const post = { body: this.#spec, params: this.#params };
    return (await transport.dataWithin(this.#limitMs, (both) => api.post("/", { ...post, signal: both }), signal)).ID;
  }

  /** The job when it is finished, or as it is after `timeoutMs`. */
  async jobAfter(timeoutMs: number, signal: AbortSignal | undefined): Promise<WholeJob> {
    const { api, transport } = this.#sending;
    const post = { body: this.#spec, params: { ...this.#params, query: { wait: timeoutMs / 1000 } } };
    const job = await transport.dataWithin(this.#limitMs + timeoutMs, (both) => api.post("/", { ...post, signal: both }), signal);
    if ("State" in job) return job;
    throw new TypeError("the service did not answer with a job");
  }

  /**
   * The output of the job from its first byte, in the answer to the submission. If the connection breaks, `open` continues it; before the
   * ID is known, the submission is sent again.
   */
  pieces({ open, backoff, connecting, isKilledOnDisconnect, onSubmitted }: Following): AsyncGenerator<Piece> {
    let id: string | null = null;
    const submitOrOpen = async (query: Query, signal: AbortSignal): Promise<Body> => {
      if (id !== null) return await open(id, query, signal);
      const { headers, body } = await this.#attached(isKilledOnDisconnect, signal);
      id = headers.get("jobrunner-job-id");
      if (id === null) throw new TypeError("the service did not answer with the ID of the job");
      onSubmitted(id);
      return body;
    };
    const silenceMs = Math.max(connecting.silenceMs, this.#limitMs);
    return attachPieces({ open: submitOrOpen, backoff, connecting: { ...connecting, silenceMs } }, {});
  }

  async #attached(isKilledOnDisconnect: boolean, signal: AbortSignal): Promise<Answered> {
    const { api, transport } = this.#sending;
    const query = { attach: true, ...(isKilledOnDisconnect ? { "kill-on-disconnect": true } : {}) };
    const params = { header: { Accept: "text/event-stream", ...this.#params.header }, query };
    return await transport.events(api.postForEvents("/", { body: this.#spec, params, signal }), signal);
  }
}

/** Without `randomUUID`, which browsers offer only to pages that came over TLS. */
function newKey(): string {
  return crypto.getRandomValues(new Uint8Array(16)).join("-");
}
