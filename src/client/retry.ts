import { ApiError, Unreachable } from "./errors.ts";

export type Retry = { attempt: number; delayMs: number; cause: unknown };
export type OnRetry = (retry: Retry) => void;

const firstDelayMs = 100;
const longestDelayMs = 5000;

/** Waits that grow, for as long as it takes, of one call that is taken up again and again. */
export class Patience {
  readonly #onRetry: OnRetry;
  readonly #signal: AbortSignal | undefined;
  #attempt = 0;

  constructor(onRetry: OnRetry, signal: AbortSignal | undefined) {
    this.#onRetry = onRetry;
    this.#signal = signal;
  }

  /** It goes on well: the next trouble is a new one. */
  calm(): void {
    this.#attempt = 0;
  }

  /** Resolves when it is time to try again, or at `endMs`; throws the error if that is of no use, and the signal's reason when it aborts. */
  async after(error: unknown, endMs = Infinity): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!isPassing(error)) throw error;
    this.#attempt += 1;
    const growing = Math.min(longestDelayMs, firstDelayMs * 2 ** (this.#attempt - 1));
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const wantedMs = Math.max(asked, growing * (0.5 + Math.random() / 2)); // not all clients of a service at once
    const delayMs = Math.round(Math.max(0, Math.min(wantedMs, endMs - performance.now())));
    this.#onRetry({ attempt: this.#attempt, delayMs, cause: error });
    await pause(delayMs, this.#signal);
  }
}

/** Whether it may be otherwise in a while: the service is being started, a proxy does not reach it, or it has too much to do. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return [429, 502, 503, 504].includes(error.status);
  return error instanceof Unreachable;
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
