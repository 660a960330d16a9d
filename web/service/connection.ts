import { signal } from "@preact/signals";
import { ApiError, type OnRetry, Backoff, type Retry } from "../../src/client/index.ts";

/** Whether the service answers. What is under way goes on by itself when it does again. */
export type Connection = { kind: "there" } | { kind: "lost"; problem: string };

export const connection = signal<Connection>({ kind: "there" });

/** The platform's, which says what it sees of the connection. */
export async function connectionFetch(url: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init);
    if (![502, 503, 504].includes(response.status)) found(); // else a proxy may have said that there is nobody behind it
    return response;
  } catch (error) {
    if (init.signal?.aborted !== true) lost(error);
    throw error;
  }
}

/** What is under way must be taken up again. */
export function noteRetry({ cause }: Retry): void {
  if (cause instanceof ApiError && cause.code !== "not-jobrunner") return; // it answers, and has too much to do
  lost(cause);
}

/** Asks for as long as it takes until the service answers; throws where it says no, and the signal's reason when that aborts. */
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
