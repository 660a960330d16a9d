import { ApiError, Unreachable } from "./errors.ts";

export type Retry = { attempt: number; delayMs: number; cause: unknown };
export type OnRetry = (retry: Retry) => void;

export type BackoffOptions = {
  /** Whether anything has ever answered. If not, a refused connection is a wrong URL rather than a restart. */
  hasAnswered?: () => boolean;
  /** If failures last longer, the call throws the error. */
  limitMs?: number;
};

const firstDelayMs = 100;
const longestDelayMs = 5000;

/** The service is too busy, or a proxy does not reach it or does not wait for it. */
const passingStatuses = [429, 502, 503, 504];
/** Codes of Node.js and OpenSSL (X509_STORE_CTX_get_error(3)) for another protocol, or for a certificate that is not trusted. */
const lastingCode = /^(HPE_|EPROTO$|ERR_(TLS|SSL|OSSL|INVALID)_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH$|INVALID_CA$)/;
/** Codes of Node.js and undici for a connection that broke or is silent. */
const brokenCode = /^(ECONNRESET|EPIPE|ESILENT|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_.*)$/;

/** The retry policy of all calls: which errors are temporary, and delays that grow. */
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

  /** Call on success: the next failure starts with the shortest delay. */
  calm(): void {
    this.#attempt = 0;
    this.#troubleSinceMs = null;
  }

  /** Call when a connection is open. If it lasts longer than the next delay, it counts as a success. */
  opened(): void {
    this.#openSinceMs = performance.now();
  }

  /** Repeats a call until it succeeds. Throws as `after` does. */
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
   * Resolves when it is time to try again, at the latest at `endMs`. Throws the error if it is permanent, and the signal's reason when it
   * aborts.
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
    const wantedMs = Math.max(asked, growing(this.#attempt) * (0.5 + Math.random() / 2)); // so that clients do not all retry at once
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

/** Whether an error is temporary: the service is starting or too busy, or a proxy does not reach it. */
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
