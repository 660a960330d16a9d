import { Api } from "./api.ts";
import { attachPieces, type AttachOptions, type Job, type Piece, type Query } from "./attach.ts";
import { AmbiguousPrefix, ApiError, NoSuchJob, NotFinishedInTime, Silence, Unreachable } from "./errors.ts";
import type { components, operations } from "./openapi.ts";
import { type OnRetry, Backoff } from "./backoff.ts";
import type { Body } from "./answered.ts";
import { type Connecting, eventBatches } from "./stream.ts";
import { type Fetch, longestMsOf, Transport } from "./transport.ts";
import { WorkspaceFiles } from "./workspace-files.ts";

export type JobSpec = components["schemas"]["JobSpec"];
export type WholeJob = components["schemas"]["WholeJob"];
export type Health = components["schemas"]["Health"];
export type Box = components["schemas"]["Box"];
export type Diagnosis = components["schemas"]["Diagnosis"];
export type SearchResult = components["schemas"]["SearchResult"];
export type RemovedJob = components["schemas"]["RemovedJob"];
export type JobPage = components["schemas"]["JobPage"];
export type JobQuery = NonNullable<operations["listJobs"]["parameters"]["query"]>;

/**
 * `open`: at the start, and whenever the connection had to be made again. `missing`: changes may have gone unheard meanwhile; the latest
 * state of the jobs that may have changed follows, where `isWhole` is false not of all that are over by now.
 */
export type JobEvent = { kind: "open" } | { kind: "job"; job: Job } | { kind: "missing"; isWhole: boolean };

/** How far events were heard; null: not yet. */
export type EventsPosition = { id: string | null };

export type ClientOptions = {
  /** Where the service is; a path in it is put before the API's. */
  url?: string;
  token?: string;
  /** In place of the platform's: over a unix socket, for instance, or with a client certificate. It is called with a URL as text. */
  fetch?: Fetch;
  /** Told before each wait, when something is taken up again. */
  onRetry?: OnRetry;
  /**
   * A connection on which nothing has come for so long is taken for dead (50); longer than the 15 between the signs of life that a service
   * gives.
   */
  silenceSeconds?: number;
  /** Calls that go on when the service does not answer end with their error when that has lasted for longer. For ever without it. */
  retrySeconds?: number;
};

export type CallOptions = { signal?: AbortSignal };
/** `isRetried`: it goes on when the service does not answer, as calls do that last. */
export type AskOptions = CallOptions & { isRetried?: boolean };

/** What is asked and answered at once has come by then, also from a service that has much to do. */
const longestAnswerMs = 20_000;
/** A service that has not answered a `wait` so long after its time is not there any more. */
const graceMs = 10_000;
/** A `wait` is asked for again after so long at least, however early a proxy cuts it. */
const shortestWaitMs = 500;
/** So many IDs are enough to say what a prefix may be. */
const shownOfPrefix = 10;
const wholeId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The HTTP API of a jobrunner. All calls throw ApiError where the service says no, Unreachable where there is no answer, and the signal's
 * reason when it aborts. Calls that last (submit, attach, events, wait, kill, remove, and files that are copied) go on when the service is
 * away, has too much to do, or is not reached by a proxy; all others fail then, after 20 s of silence at the latest, those that look at
 * much (search, findings) after `silenceSeconds`.
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
   * The new job's ID. With an Idempotency-Key, made here where none is given, by which an answer that was lost is asked for again: nothing
   * runs twice.
   */
  async submit(spec: JobSpec, { idempotencyKey = newKey(), signal }: CallOptions & { idempotencyKey?: string } = {}): Promise<string> {
    const params = { header: { "Idempotency-Key": idempotencyKey } };
    const limitMs = this.#answerMs + longestMsOf(JSON.stringify(spec).length);
    const post = async (): Promise<{ ID: string }> =>
      await this.#transport.dataWithin(limitMs, (both) => this.#api.post("/", { body: spec, params, signal: both }), signal);
    return (await this.#backoff(signal).through(post)).ID;
  }

  async job(id: string, { signal, isRetried = false }: AskOptions = {}): Promise<WholeJob> {
    const get = async (): Promise<WholeJob> =>
      await this.#transport.dataWithin(
        this.#answerMs,
        (both) => this.#api.get("/{id}", { params: { path: { id } }, signal: both }),
        signal,
      );
    return isRetried ? await this.#backoff(signal).through(get) : await get();
  }

  /** The IDs of the jobs that run now. */
  async running({ signal }: CallOptions = {}): Promise<string[]> {
    return (await this.#transport.dataWithin(this.#answerMs, (both) => this.#api.get("/", { signal: both }), signal)).IDs;
  }

  /** A page of jobs, newest first. One without jobs may have another behind it. */
  async page(query: JobQuery = {}, { signal, isRetried = false }: AskOptions = {}): Promise<JobPage> {
    const get = async (): Promise<JobPage> =>
      await this.#transport.dataWithin(this.#answerMs, (both) => this.#api.get("/jobs", { params: { query }, signal: both }), signal);
    return isRetried ? await this.#backoff(signal).through(get) : await get();
  }

  /** All jobs that fit, newest first; pages are asked for as they are needed. */
  async *jobs(query: Omit<JobQuery, "cursor"> = {}, options: AskOptions = {}): AsyncGenerator<Job> {
    for (let cursor: string | null = null; ;) {
      const page: JobPage = await this.page(cursor === null ? query : { ...query, cursor }, options);
      yield* page.Jobs;
      cursor = page.NextCursor;
      if (cursor === null) return;
    }
  }

  /** The ID that begins so; a whole one is given back as it is. Throws NoSuchJob and AmbiguousPrefix. */
  async find(prefix: string, options: AskOptions = {}): Promise<string> {
    const id = prefix.toLowerCase();
    if (wholeId.test(id)) return id;
    const ids: string[] = [];
    for await (const { ID } of /^[0-9a-f-]{1,36}$/.test(id) ? this.jobs({ id, limit: shownOfPrefix }, options) : [])
      if (ids.push(ID) === shownOfPrefix) break;
    const [first, second] = ids;
    if (first === undefined) throw new NoSuchJob(`no job has an ID that begins with ${JSON.stringify(prefix)}`);
    if (second !== undefined) throw new AmbiguousPrefix(id, ids);
    return first;
  }

  /**
   * The job's output from its first byte, live, to its outcome. A connection that breaks is taken up where it broke: every byte comes once
   * and in order. Leaving the loop closes the connection.
   */
  attach(id: string, { signal, ...options }: AttachOptions & CallOptions = {}): AsyncGenerator<Piece> {
    const open = (query: Query, both: AbortSignal): Promise<Body> => {
      return this.#transport.events(this.#api.events("/{id}/attach", { params: { path: { id }, query }, signal: both }), both);
    };
    return attachPieces({ open, backoff: this.#backoff(signal), connecting: this.#connecting(signal) }, options);
  }

  /**
   * Where a text is in the output, from `offsetBytes` on; one call looks at a part of a long one, and says in NextOffset where to go on.
   */
  async search(
    id: string,
    {
      text,
      isCaseSensitive = false,
      offsetBytes = 0,
      limit = 100,
      signal,
    }: CallOptions & { text: string; isCaseSensitive?: boolean; offsetBytes?: number; limit?: number },
  ): Promise<SearchResult> {
    const query = { text, case: isCaseSensitive, offset: offsetBytes, limit };
    return await this.#transport.dataWithin(
      this.#silenceMs,
      (both) => this.#api.get("/{id}/search", { params: { path: { id }, query }, signal: both }),
      signal,
    );
  }

  /** The job when it is finished, however often the service must be asked for it. Throws NotFinishedInTime. */
  async wait(id: string, { timeoutSeconds = Infinity, signal }: CallOptions & { timeoutSeconds?: number } = {}): Promise<WholeJob> {
    const endMs = performance.now() + timeoutSeconds * 1000;
    const backoff = this.#backoff(signal);
    // The first answer comes at once: whether there is such a job, and a service.
    for (let longestMs = 0; ;) {
      const askedAtMs = performance.now();
      const timeoutMs = Math.ceil(Math.max(0, Math.min(longestMs, endMs - askedAtMs)));
      try {
        return await this.#transport.dataWithin(
          timeoutMs + Math.min(graceMs, this.#silenceMs),
          (both) => this.#api.get("/{id}/wait", { params: { path: { id }, query: { timeout: timeoutMs / 1000 } }, signal: both }),
          signal,
        );
      } catch (error) {
        if (error instanceof ApiError && error.code === "not-finished-in-time") {
          backoff.calm();
          longestMs = longestMs === 0 ? this.#silenceMs : Math.min(this.#silenceMs, longestMs * 1.2);
        } else {
          // A proxy may have cut it: one that waits for less is answered.
          longestMs = Math.min(longestMs, Math.max(shortestWaitMs, (performance.now() - askedAtMs) / 2));
          await backoff.after(error, endMs);
        }
        if (performance.now() >= endMs) throw new NotFinishedInTime(`the job is not finished after ${timeoutSeconds} s`, { cause: error });
      }
    }
  }

  /** Resolves when nothing of the job is left. `isForced`: SIGKILL at once, and no further step. */
  async kill(id: string, { isForced = false, signal }: CallOptions & { isForced?: boolean } = {}): Promise<void> {
    const query = isForced ? { force: true } : {};
    const backoff = this.#backoff(signal);
    for (;;) {
      try {
        await this.#transport.dataWithin(
          this.#silenceMs,
          (both) => this.#api.delete("/{id}", { params: { path: { id }, query }, signal: both }),
          signal,
        );
        return;
      } catch (error) {
        const isLong = error instanceof Unreachable && error.cause instanceof Silence; // as a grace may be
        if (!isLong) await backoff.after(error);
      }
      // A second request would end steps that clean up. Where the first one has arrived, the end is waited for in another way.
      if ((await this.#isEnding(id, signal)) && !isForced) return void (await this.wait(id, given(signal)));
    }
  }

  /** Whether a kill has arrived, or none is needed. */
  async #isEnding(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      const { State } = await this.job(id, { ...given(signal), isRetried: true });
      return State !== "Queued" && State !== "Starting" && State !== "Running";
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false; // what is left of it, the kill itself is told
      throw error;
    }
  }

  /** Removes a job that is finished, with its output and workspace. `Remains` says what of them could not be removed yet. */
  async remove(id: string, { signal }: CallOptions = {}): Promise<RemovedJob> {
    let mayBeDone = false; // by a request whose answer was lost
    return await this.#backoff(signal).through(async () => {
      try {
        return await this.#transport.dataWithin(
          this.#silenceMs,
          (both) => this.#api.delete("/jobs/{id}", { params: { path: { id } }, signal: both }),
          signal,
        );
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
   * Every change of a job's state from now on, or from a `position` to which an earlier call has come; it is kept where it is. A connection
   * that breaks is taken up there. Leaving the loop closes the connection.
   */
  async *events({ signal, position = { id: null } }: CallOptions & { position?: EventsPosition } = {}): AsyncGenerator<JobEvent> {
    const backoff = this.#backoff(signal);
    const open = (both: AbortSignal): Promise<Body> => this.#openEvents(position.id, both);
    for (;;) {
      try {
        for await (const batch of eventBatches(open, { ...this.#connecting(signal), onId: (id) => (position.id = id) })) {
          if (batch.length > 0) backoff.calm();
          else {
            backoff.opened();
            yield { kind: "open" };
          }
          for (const { event, data } of batch) {
            if (event === "missing") yield { kind: "missing", isWhole: JSON.parse(data).IsWhole === true };
            else yield { kind: "job", job: JSON.parse(data) };
          }
        }
        throw new Unreachable(this.url, new Error("the service closed the connection"));
      } catch (error) {
        await backoff.after(error);
      }
    }
  }

  #openEvents(lastId: string | null, signal: AbortSignal): Promise<Body> {
    const headers: Record<string, string> = lastId === null ? {} : { "Last-Event-ID": lastId };
    return this.#transport.events(this.#api.events("/events", { headers, signal }), signal);
  }

  /** The box and the service on it as they are now, and who the service takes the caller for. */
  async box({ signal }: CallOptions = {}): Promise<Box> {
    return await this.#transport.dataWithin(this.#answerMs, (both) => this.#api.get("/box", { signal: both }), signal);
  }

  /** What the doctor finds, who looks anew: that may take some seconds. For the role `admin` alone. */
  async findings({ signal }: CallOptions = {}): Promise<Diagnosis> {
    return await this.#transport.dataWithin(this.#silenceMs, (both) => this.#api.get("/box/findings", { signal: both }), signal);
  }

  /** How the service is; also where it is not well. */
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

  #backoff(signal: AbortSignal | undefined): Backoff {
    return new Backoff(this.#onRetry, signal, { hasAnswered: () => this.#transport.hasAnswered, limitMs: this.#limitMs });
  }

  #connecting(signal: AbortSignal | undefined): Connecting {
    return { url: this.url, silenceMs: this.#silenceMs, signal };
  }
}

/** What answers with 503 may be a proxy, too. */
function isUnwell(error: unknown): error is Health {
  return error instanceof Object && "status" in error && error.status === "unwell";
}

/** Not of `randomUUID`: browsers keep that from pages that came without TLS. */
function newKey(): string {
  return crypto.getRandomValues(new Uint8Array(16)).join("-");
}

function given(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
