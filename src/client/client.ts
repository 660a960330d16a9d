import type { Answer, Body } from "./answered.ts";
import { Api } from "./api.ts";
import { attachPieces, type AttachOptions, type Job, type Piece, type Query } from "./attach.ts";
import { type OnRetry, Backoff } from "./backoff.ts";
import { ApiError } from "./errors.ts";
import { jobEvents } from "./events.ts";
import { type ByName, findJob, newestJob } from "./find.ts";
import type { Connecting } from "./stream.ts";
import { killedJob } from "./kill.ts";
import { Submission } from "./submission.ts";
import { Transport } from "./transport.ts";
import type {
  AskOptions,
  Box,
  CallOptions,
  ClientOptions,
  Diagnosis,
  EventsPosition,
  Health,
  JobEvent,
  JobPage,
  JobQuery,
  JobSpec,
  OutputStyle,
  RemovedJob,
  SearchResult,
  Signal,
  SubmitAndAttachOptions,
  SubmitOptions,
  WholeJob,
} from "./types.ts";
import { finishedJob, jobAfterSubmission } from "./wait.ts";
import { WorkspaceFiles } from "./workspace-files.ts";

/** The time limit of short calls. A busy service keeps it, too. */
const longestAnswerMs = 20_000;
/** A service that has not answered a `wait` this long after its timeout counts as unreachable. */
const graceMs = 10_000;

/**
 * The HTTP API of a jobrunner. All calls throw ApiError if the service refuses, Unreachable if no answer comes, and the signal's reason
 * when it aborts. Long calls (submissions, attach, events, wait, kill, remove, and copies of files) are retried while the service is away
 * or too busy, or a proxy does not reach it. All other calls fail then, after at most 20 s of silence; search and findings after
 * `silenceSeconds`.
 */
export class Client {
  readonly url: string;
  readonly #transport: Transport;
  readonly #api: Api;
  readonly #onRetry: OnRetry;
  readonly #silenceMs: number;
  readonly #answerMs: number;
  readonly #limitMs: number;

  constructor({
    url = "http://localhost:8080",
    token,
    fetch = async (address, init) => await globalThis.fetch(address, init),
    onRetry = () => undefined,
    silenceSeconds = 50,
    retrySeconds = Infinity,
  }: ClientOptions = {}) {
    this.url = url.replace(/\/+$/, "");
    this.#transport = new Transport(this.url, { token: token ?? null, fetch });
    this.#api = new Api(this.#transport);
    this.#onRetry = onRetry;
    this.#silenceMs = Math.ceil(silenceSeconds * 1000);
    this.#answerMs = Math.min(longestAnswerMs, this.#silenceMs);
    this.#limitMs = retrySeconds * 1000;
  }

  /**
   * Submits a job and gives its ID. If the answer is lost, the request is sent again with the same Idempotency-Key (a random one by
   * default), so that the job runs only once.
   */
  async submit(spec: JobSpec, { idempotencyKey, signal }: SubmitOptions = {}): Promise<string> {
    const submission = this.#submission(spec, idempotencyKey);
    return await this.#backoff(signal).through(async () => await submission.id(signal));
  }

  /**
   * Submits a job and gives its output as `attach` does, in one request. `onSubmitted` is called with its ID before the first piece.
   * `isKilledOnDisconnect`: the service kills the job if the connection is closed, or breaks, before the end; otherwise the job continues.
   */
  submitAndAttach(
    spec: JobSpec,
    { idempotencyKey, isKilledOnDisconnect = false, onSubmitted = () => undefined, signal }: SubmitAndAttachOptions = {},
  ): AsyncGenerator<Piece> {
    return this.#submission(spec, idempotencyKey).pieces({
      open: (id, query, both) => this.#output(id, query, both),
      backoff: this.#backoff(signal),
      connecting: this.#connecting(signal),
      isKilledOnDisconnect,
      onSubmitted,
    });
  }

  /** Submits a job, and gives it when it is finished, or as it is after `timeoutSeconds`. */
  async submitAndWait(
    spec: JobSpec,
    { idempotencyKey, timeoutSeconds = Infinity, signal }: SubmitOptions & { timeoutSeconds?: number } = {},
  ): Promise<WholeJob> {
    const submission = this.#submission(spec, idempotencyKey);
    return await jobAfterSubmission(
      {
        submit: async (timeoutMs) => await submission.jobAfter(timeoutMs, signal),
        wait: async (id, seconds) => await this.wait(id, { timeoutSeconds: seconds, ...given(signal) }),
        get: async (id) => await this.job(id, { isRetried: true, ...given(signal) }),
        backoff: this.#backoff(signal),
        longestMs: this.#silenceMs,
      },
      timeoutSeconds,
    );
  }

  async job(id: string, options: AskOptions = {}): Promise<WholeJob> {
    return await this.#ask((signal) => this.#api.get("/{id}", { params: { path: { id } }, signal }), options);
  }

  /** The IDs of the jobs that run now. */
  async running(options: CallOptions = {}): Promise<string[]> {
    return (await this.#ask((signal) => this.#api.get("/", { signal }), options)).IDs;
  }

  /** A page of jobs, newest first. An empty page may be followed by another one. */
  async page(query: JobQuery = {}, options: AskOptions = {}): Promise<JobPage> {
    return await this.#ask((signal) => this.#api.get("/jobs", { params: { query }, signal }), options);
  }

  /** All matching jobs, newest first. Requests pages as they are needed. */
  async *jobs(query: Omit<JobQuery, "cursor"> = {}, options: AskOptions = {}): AsyncGenerator<Job> {
    for (let cursor: string | null = null; ;) {
      const page: JobPage = await this.page(cursor === null ? query : { ...query, cursor }, options);
      yield* page.Jobs;
      cursor = page.NextCursor;
      if (cursor === null) return;
    }
  }

  /**
   * The ID that begins with this text. `byName`: or the ID of a job whose name the text is. Returns a whole ID without a request. Throws
   * NoSuchJob, AmbiguousPrefix and AmbiguousName.
   */
  async find(text: string, { byName, ...options }: AskOptions & { byName?: ByName } = {}): Promise<string> {
    return await findJob(text, (query) => this.jobs(query, options), byName ?? null);
  }

  /** The ID of the newest job; `isUnfinished`: of those that are not finished. Throws NoSuchJob. */
  async newest({ isUnfinished = false, ...options }: AskOptions & { isUnfinished?: boolean } = {}): Promise<string> {
    return await newestJob((query) => this.jobs(query, options), { isUnfinished });
  }

  /**
   * The job's output from its first byte, live, to its outcome. A broken connection is resumed where it broke: every byte comes once and in
   * order. Leaving the loop closes the connection.
   */
  attach(id: string, { signal, ...options }: AttachOptions & CallOptions = {}): AsyncGenerator<Piece> {
    const open = (query: Query, both: AbortSignal): Promise<Body> => this.#output(id, query, both);
    return attachPieces({ open, backoff: this.#backoff(signal), connecting: this.#connecting(signal) }, options);
  }

  /**
   * Searches the output for a text, from `offsetBytes` on. One call searches a part of a long output; NextOffset says where the next call
   * must begin.
   */
  async search(
    id: string,
    {
      text,
      isCaseSensitive = false,
      offsetBytes = 0,
      limit = 100,
      ...options
    }: CallOptions & { text: string; isCaseSensitive?: boolean; offsetBytes?: number; limit?: number },
  ): Promise<SearchResult> {
    const params = { path: { id }, query: { text, case: isCaseSensitive, offset: offsetBytes, limit } };
    return await this.#ask((signal) => this.#api.get("/{id}/search", { params, signal }), { ...options, limitMs: this.#silenceMs });
  }

  /** The style that escape sequences before a byte of the output have set for it. One call reads a part of a long output. */
  async style(
    id: string,
    { offsetBytes, fromBytes = 0, ...options }: CallOptions & { offsetBytes: number; fromBytes?: number },
  ): Promise<OutputStyle> {
    const params = { path: { id }, query: { offset: offsetBytes, from: fromBytes } };
    return await this.#ask((signal) => this.#api.get("/{id}/style", { params, signal }), { ...options, limitMs: this.#silenceMs });
  }

  /** Waits until the job is finished, and gives it. Throws NotFinishedInTime. */
  async wait(id: string, { timeoutSeconds = Infinity, signal }: CallOptions & { timeoutSeconds?: number } = {}): Promise<WholeJob> {
    const ask = (timeoutMs: number): Promise<WholeJob> => {
      const params = { path: { id }, query: { timeout: timeoutMs / 1000 } };
      const limitMs = timeoutMs + Math.min(graceMs, this.#silenceMs);
      return this.#ask((both) => this.#api.get("/{id}/wait", { params, signal: both }), { ...given(signal), limitMs });
    };
    return await finishedJob({ ask, backoff: this.#backoff(signal), longestMs: this.#silenceMs }, timeoutSeconds);
  }

  /** Kills the job; resolves when none of its processes is left. `isForced`: SIGKILL at once, and no further step. */
  async kill(id: string, { isForced = false, signal }: CallOptions & { isForced?: boolean } = {}): Promise<void> {
    const params = { path: { id }, query: isForced ? { force: true } : {} };
    const ask = (both: AbortSignal): Promise<Answer<object>> => this.#api.delete("/{id}", { params, signal: both });
    await killedJob(
      {
        ask: async () => await this.#ask(ask, { ...given(signal), limitMs: this.#silenceMs }),
        get: async () => await this.job(id, { isRetried: true, ...given(signal) }),
        wait: async () => await this.wait(id, given(signal)),
        backoff: this.#backoff(signal),
      },
      isForced,
    );
  }

  /** Sends a signal, such as SIGUSR1, to the running step. It is sent once: the request is not repeated if its answer is lost. */
  async signal(id: string, name: Signal, options: CallOptions = {}): Promise<void> {
    const params = { path: { id } };
    await this.#ask((signal) => this.#api.post("/{id}/signal", { params, body: { Signal: name }, signal }), options);
  }

  /** Removes a finished job, its output and its workspace. `Remains` names what could not be removed yet. */
  async remove(id: string, { signal }: CallOptions = {}): Promise<RemovedJob> {
    let mayBeDone = false; // the answer of an earlier request was lost
    return await this.#backoff(signal).through(async () => {
      try {
        const params = { path: { id } };
        const limitMs = this.#silenceMs;
        return await this.#ask((both) => this.#api.delete("/jobs/{id}", { params, signal: both }), { ...given(signal), limitMs });
      } catch (error) {
        if (mayBeDone && error instanceof ApiError && error.code === "unknown-job") return {};
        mayBeDone ||= !(error instanceof ApiError) || error.code === "not-jobrunner";
        throw error;
      }
    });
  }

  /** The files of the job's workspace. */
  files(id: string): WorkspaceFiles {
    return new WorkspaceFiles(this.#transport, id, {
      backoff: (signal) => this.#backoff(signal),
      connecting: (signal) => this.#connecting(signal),
    });
  }

  /**
   * Every change of a job's state, from the present or from the `position` of an earlier call on. `position` is updated in place. A broken
   * connection is resumed there. Leaving the loop closes the connection.
   */
  events({ signal, position = { id: null } }: CallOptions & { position?: EventsPosition } = {}): AsyncGenerator<JobEvent> {
    const open = async (lastId: string | null, both: AbortSignal): Promise<Body> => {
      const headers: Record<string, string> = lastId === null ? {} : { "Last-Event-ID": lastId };
      return (await this.#transport.events(this.#api.getEvents("/events", { headers, signal: both }), both)).body;
    };
    return jobEvents({ open, backoff: this.#backoff(signal), connecting: this.#connecting(signal) }, position);
  }

  /** The machine, the service on it, and the identity of the caller. */
  async box(options: CallOptions = {}): Promise<Box> {
    return await this.#ask((signal) => this.#api.get("/box", { signal }), options);
  }

  /** Runs the doctor, which may take some seconds. Only for the role `admin`. */
  async findings(options: CallOptions = {}): Promise<Diagnosis> {
    return await this.#ask((signal) => this.#api.get("/box/findings", { signal }), { ...options, limitMs: this.#silenceMs });
  }

  /** The health of the service. An unwell service is no error. */
  async health({ signal }: CallOptions = {}): Promise<Health> {
    const { data, error, response } = await this.#transport.within(
      this.#answerMs,
      (both) => this.#transport.answer(this.#api.get("/healthz", { signal: both }), signal),
      signal,
    );
    if (data !== undefined) return data;
    if (isUnwell(error)) return error;
    throw this.#transport.refusal(response, error);
  }

  /** `limitMs`: the time limit for the answer. */
  async #ask<Data>(
    ask: (signal: AbortSignal) => Promise<Answer<Data>>,
    { signal, isRetried = false, limitMs = this.#answerMs }: AskOptions & { limitMs?: number },
  ): Promise<Data> {
    const once = async (): Promise<Data> => await this.#transport.dataWithin(limitMs, ask, signal);
    return isRetried ? await this.#backoff(signal).through(once) : await once();
  }

  #submission(spec: JobSpec, idempotencyKey: string | undefined): Submission {
    return new Submission({ api: this.#api, transport: this.#transport, answerMs: this.#answerMs }, { spec, idempotencyKey });
  }

  async #output(id: string, query: Query, signal: AbortSignal): Promise<Body> {
    const params = { path: { id }, query };
    return (await this.#transport.events(this.#api.getEvents("/{id}/attach", { params, signal }), signal)).body;
  }

  #backoff(signal: AbortSignal | undefined): Backoff {
    return new Backoff(this.#onRetry, signal, { hasAnswered: () => this.#transport.hasAnswered, limitMs: this.#limitMs });
  }

  #connecting(signal: AbortSignal | undefined): Connecting {
    return { url: this.url, silenceMs: this.#silenceMs, signal };
  }
}

/** A 503 may also come from a proxy. */
function isUnwell(error: unknown): error is Health {
  return error instanceof Object && "status" in error && error.status === "unwell";
}

function given(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
