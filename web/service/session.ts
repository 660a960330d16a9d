import { computed, signal } from "@preact/signals";
import { type Box, Client } from "../../src/client/index.ts";
import { setClock } from "./clock.ts";
import { connectionFetch, noteRetry, untilAnswered } from "./connection.ts";
import { Events } from "./events.ts";
import { SharedLogin } from "./shared-login.ts";

/** The identity of the user, with a token or, if the service allows it, without one. */
export type Session = { kind: "starting" } | { kind: "unknown"; problem: string | null } | Known;

export type Known = { kind: "known"; client: Client; events: Events; box: Box; token: string | null };

export const session = signal<Session>({ kind: "starting" });

/** Whether the user may submit, kill and remove jobs. This only hides buttons; the service decides. */
export const mayRun = computed(() => session.value.kind === "known" && session.value.box.You.Role !== "read");

/** The API's URL, without a slash at the end. */
export const serviceUrl = new URL("..", document.baseURI).href.replace(/\/$/, "");

// Kept for reloads of this tab, and removed when it is closed.
const tokenKey = "jobrunner.token";

const tabs = new SharedLogin(serviceUrl, {
  token: () => (session.value.kind === "known" ? session.value.token : null),
  onToken: (token) => {
    if (session.value.kind === "unknown") void logInWith(token);
  },
  onLogOut: () => {
    logOuts += 1;
    if (session.value.kind === "known" && session.value.token !== null) void leave();
  },
});

/** A token that was being tried when another tab logged out is not used. */
let logOuts = 0;

/** Requests the user's identity, as soon as the service answers. */
export async function startSession(): Promise<void> {
  const own = sessionStorage.getItem(tokenKey);
  const first = await enter(own);
  const other = first.kind === "known" ? null : await tabs.ask();
  if (first.kind === "unknown") session.value = other === null || other === own ? first : await enter(other);
}

/** Resolves when the token was tried. The session has the error, if any. */
export async function logIn(text: string): Promise<void> {
  const token = text.trim();
  await logInWith(token);
  if (session.value.kind === "known") tabs.loggedIn(token);
}

/** Logs out in all tabs. */
export async function logOut(): Promise<void> {
  tabs.loggedOut();
  await leave();
}

async function leave(): Promise<void> {
  sessionStorage.removeItem(tokenKey);
  await logInWith(null);
}

async function logInWith(token: string | null): Promise<void> {
  const entered = await enter(token);
  if (entered.kind === "unknown") session.value = entered;
}

let stopEvents = (): void => undefined;

/** The session with this token. A known one is also set, because its events come at once. */
async function enter(token: string | null): Promise<Exclude<Session, { kind: "starting" }>> {
  stopEvents();
  const logOutsBefore = logOuts;
  try {
    const client = new Client({ url: serviceUrl, ...(token === null ? {} : { token }), fetch: authorizedFetch, onRetry: noteRetry });
    const box = await untilAnswered(() => client.box());
    setClock(box.Now);
    if (token !== null && logOuts !== logOutsBefore) return await enter(null);
    if (token !== null) sessionStorage.setItem(tokenKey, token);
    const events = new Events(client);
    stopEvents = events.start();
    const known: Known = { kind: "known", client, events, box, token };
    session.value = known;
    return known;
  } catch (error) {
    sessionStorage.removeItem(tokenKey);
    return { kind: "unknown", problem: token === null ? null : error instanceof Error ? error.message : String(error) };
  }
}

/** Requests a token again when the present one is revoked. */
async function authorizedFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await connectionFetch(url, init);
  if (response.status === 401 && session.value.kind === "known")
    session.value = { kind: "unknown", problem: session.value.token === null ? null : "the token is no longer valid" };
  return response;
}
