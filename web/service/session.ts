import { computed, signal } from "@preact/signals";
import { type Box, Client } from "../../src/client/index.ts";
import { setClock } from "./clock.ts";
import { connectionFetch, noteRetry, untilAnswered } from "./connection.ts";
import { Events } from "./events.ts";

/** The identity of the user, with a token or, if the service allows it, without one. */
export type Session = { kind: "starting" } | { kind: "unknown"; problem: string | null } | Known;

export type Known = { kind: "known"; client: Client; events: Events; box: Box; token: string | null };

export const session = signal<Session>({ kind: "starting" });

/** Whether the user may submit, kill and remove jobs. This only hides buttons; the service decides. */
export const mayRun = computed(() => session.value.kind === "known" && session.value.box.You.Role !== "read");

/** The API's URL, without a slash at the end. */
export const serviceUrl = new URL("..", document.baseURI).href.replace(/\/$/, "");

// Kept for this tab, and removed when it is closed.
const tokenKey = "jobrunner.token";

/** Requests the user's identity, as soon as the service answers. */
export async function startSession(): Promise<void> {
  await enter(sessionStorage.getItem(tokenKey));
}

/** Resolves when the token was tried. The session has the error, if any. */
export async function logIn(token: string): Promise<void> {
  await enter(token.trim());
}

export async function logOut(): Promise<void> {
  sessionStorage.removeItem(tokenKey);
  await enter(null);
}

let stopEvents = (): void => undefined;

async function enter(token: string | null): Promise<void> {
  stopEvents();
  try {
    const client = new Client({ url: serviceUrl, ...(token === null ? {} : { token }), fetch: authorizedFetch, onRetry: noteRetry });
    const box = await untilAnswered(() => client.box());
    setClock(box.Now);
    if (token !== null) sessionStorage.setItem(tokenKey, token);
    const events = new Events(client);
    stopEvents = events.start();
    session.value = { kind: "known", client, events, box, token };
  } catch (error) {
    sessionStorage.removeItem(tokenKey);
    session.value = { kind: "unknown", problem: token === null ? null : error instanceof Error ? error.message : String(error) };
  }
}

/** Requests a token again when the present one is revoked. */
async function authorizedFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await connectionFetch(url, init);
  if (response.status === 401 && session.value.kind === "known")
    session.value = { kind: "unknown", problem: session.value.token === null ? null : "the token is no longer valid" };
  return response;
}
