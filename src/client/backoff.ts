import { ApiError, Unreachable } from "./errors.ts";

export type Retry = { attempt: number; delayMs: number; cause: unknown };
export type OnRetry = (retry: Retry) => void;

export type BackoffOptions = {
  /** Whether anything has ever answered: where nothing has, that nothing listens is a mistake and not a restart. */
  hasAnswered?: () => boolean;
  /** Trouble that lasts longer ends the call with its error. */
  limitMs?: number;
};

const firstDelayMs = 100;
const longestDelayMs = 5000;

/** A service with too much to do, or a proxy that does not reach it or does not wait for it. */
const passingStatuses = [429, 502, 503, 504];
/** What is there speaks otherwise, or is not trusted; as Node.js and OpenSSL (X509_STORE_CTX_get_error(3)) name it. */
const lastingCode = /^(HPE_|EPROTO$|ERR_(TLS|SSL|OSSL|INVALID)_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH$|INVALID_CA$)/;
/** Something was there, and is not there any more, or is silent; as Node.js and undici name it. */
const brokenCode = /^(ECONNRESET|EPIPE|ESILENT|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_.*)$/;

/** The one policy of calls that are taken up again: what passes, and waits that grow, for as long as it takes. */
export class Backoff {
  readonly #onRetry: OnRetry;
  readonly #signal: AbortSignal | undefined;
  readonly #hasAnswered: () => boolean;
  readonly #limitMs: number;
  #attempt = 0;
  #troubleSinceMs: number | null = null;
  #openSinceMs: number | null = null;

  constructor(onRetry: OnRetry, signal?: AbortSignal, { hasAnswered = () => true, limitMs = Infinity }: BackoffOptions = {}) {
    this.#onRetry = onRetry;
    this.#signal = signal;
    this.#hasAnswered = hasAnswered;
    this.#limitMs = limitMs;
  }

  /** It goes on well: the next trouble is a new one. */
  calm(): void {
    this.#attempt = 0;
    this.#troubleSinceMs = null;
  }

  /** There is a connection on which something may come. One that lasts longer than the wait for the next has been no trouble. */
  opened(): void {
    this.#openSinceMs = performance.now();
  }

  /** Does what may be done again until it is answered. Throws as `after`. */
  async through<Result>(call: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        const result = await call();
        this.calm();
        return result;
      } catch (error) {
        await this.after(error);
      }
    }
  }

  /**
   * Resolves when it is time to try again, or at `endMs`; throws the error if that is of no use, and the signal's reason when it aborts.
   */
  async after(error: unknown, endMs = Infinity): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!isPassing(error, { hasAnswered: this.#hasAnswered() })) throw error;
    const nowMs = performance.now();
    if (this.#openSinceMs !== null && nowMs - this.#openSinceMs >= growing(this.#attempt + 1)) this.calm();
    this.#openSinceMs = null;
    this.#troubleSinceMs ??= nowMs;
    this.#attempt += 1;
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const wantedMs = Math.max(asked, growing(this.#attempt) * (0.5 + Math.random() / 2)); // not all clients of a service at once
    if (nowMs + wantedMs - this.#troubleSinceMs > this.#limitMs) throw error;
    const delayMs = Math.round(Math.max(0, Math.min(wantedMs, endMs - nowMs, longestTimerMs)));
    this.#onRetry({ attempt: this.#attempt, delayMs, cause: error });
    await pause(delayMs, this.#signal);
  }
}

const longestTimerMs = 2 ** 31 - 1;

function growing(attempt: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1));
}

/** Whether it may be otherwise in a while: the service is being started, a proxy does not reach it, or it has too much to do. */
export function isPassing(error: unknown, { hasAnswered }: { hasAnswered: boolean }): boolean {
  if (error instanceof ApiError) return passingStatuses.includes(error.status);
  if (!(error instanceof Unreachable) || lastingCode.test(error.code)) return false;
  return hasAnswered || brokenCode.test(error.code);
}

function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
