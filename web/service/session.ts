import { computed, signal } from "@preact/signals";
import { type Box, Client } from "../../src/client/index.ts";
import { setClock } from "./clock.ts";
import { connectionFetch, noteRetry, untilAnswered } from "./connection.ts";
import { Events } from "./events.ts";

/** Who looks at the page, as the service knows them: without a token where it trusts them as they are, else by one. */
export type Session = { kind: "starting" } | { kind: "unknown"; problem: string | null } | Known;

export type Known = { kind: "known"; client: Client; events: Events; box: Box; token: string | null };

export const session = signal<Session>({ kind: "starting" });

/** Whether they may submit, kill and remove; the service decides, this only spares them the buttons. */
export const mayRun = computed(() => session.value.kind === "known" && session.value.box.You.Role !== "read");

/** Where the API is, without a slash at the end. */
export const serviceUrl = new URL("..", document.baseURI).href.replace(/\/$/, "");

// The tab's own, and gone with it.
const tokenKey = "jobrunner.token";

/** Asks who we are; as soon as the service answers. */
export async function startSession(): Promise<void> {
  await enter(sessionStorage.getItem(tokenKey));
}

/** Resolves when the token was tried; what was wrong with it is in the session. */
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

/** A token that is revoked while the page is open is asked for again. */
async function authorizedFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await connectionFetch(url, init);
  if (response.status === 401 && session.value.kind === "known")
    session.value = { kind: "unknown", problem: session.value.token === null ? null : "the token is no longer valid" };
  return response;
}
