import { signal } from "@preact/signals";
import { ApiError, type OnRetry, Backoff, type Retry } from "../../src/client/index.ts";

/** Whether the service answers. Pending calls continue by themselves when it does again. */
export type Connection = { kind: "there" } | { kind: "lost"; problem: string };

export const connection = signal<Connection>({ kind: "there" });

/** The platform's fetch. It also notes whether the service answers. */
export async function connectionFetch(url: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init);
    if (![502, 503, 504].includes(response.status)) found(); // these may come from a proxy that does not reach the service
    return response;
  } catch (error) {
    if (init.signal?.aborted !== true) lost(error);
    throw error;
  }
}

/** Called before each retry of a pending call. */
export function noteRetry({ cause }: Retry): void {
  if (cause instanceof ApiError && cause.code !== "not-jobrunner") return; // it answers that it is too busy
  lost(cause);
}

/** Retries until the service answers. Throws if it refuses, and the signal's reason when it aborts. */
export async function untilAnswered<Answer>(
  ask: () => Promise<Answer>,
  { signal, onRetry = noteRetry }: { signal?: AbortSignal; onRetry?: OnRetry } = {},
): Promise<Answer> {
  const backoff = new Backoff(onRetry, signal);
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      await backoff.after(error);
    }
  }
}

function found(): void {
  if (connection.value.kind === "lost") connection.value = { kind: "there" };
}

function lost(cause: unknown): void {
  connection.value = {
    kind: "lost",
    problem: "onLine" in navigator && !navigator.onLine ? "this device is offline" : cause instanceof Error ? cause.message : String(cause),
  };
}
