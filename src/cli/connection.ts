import { readFileSync } from "node:fs";
import { Client, type Fetch } from "../client/index.ts";
import type { ConnectionOptions } from "./command.ts";
import { makeFetch } from "./http-fetch.ts";
import { type Session, tell } from "./session.ts";
import { unreadable, WrongUse } from "./wrong-use.ts";

/** From options and environment to a client. */
export function connect(session: Session, options: ConnectionOptions): Client {
  const variable = (name: string): string | undefined => session.environment[name] || undefined; // set to nothing is not set
  const { url, socketPath } = placeOf(options.url ?? variable("JOBRUNNER_URL") ?? "http://localhost:8080");
  const token = readFile(options.tokenFile, "--token-file")?.trim() ?? variable("JOBRUNNER_TOKEN");
  const tls = {
    ca: readFile(options.cacert ?? variable("JOBRUNNER_CACERT"), "--cacert"),
    cert: readFile(options.clientCert ?? variable("JOBRUNNER_CLIENT_CERT"), "--client-cert"),
    key: readFile(options.clientKey ?? variable("JOBRUNNER_CLIENT_KEY"), "--client-key"),
  };
  return new Client({ url, ...(token === undefined ? {} : { token }), ...watched(session, makeFetch({ socketPath, tls })) });
}

type Place = { url: string; socketPath: string | null };

function placeOf(text: string): Place {
  const socketPath = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { url: "http://localhost", socketPath };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) throw new WrongUse(`the URL of the service must begin with http://, https:// or unix:/, not ${JSON.stringify(text)}`);
  if (url.username !== "" || url.password !== "") throw new WrongUse("the URL of the service must hold no name and password: set JOBRUNNER_TOKEN");
  return { url: text, socketPath: null };
}

function readFile(file: string | undefined, option: string): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, "utf8");
  } catch (cause) {
    throw unreadable(`${option} ${JSON.stringify(file)}`, cause);
  }
}

/** Says that a connection broke, when the first attempt to take it up again has failed, and when one succeeds: what was mended unnoticed needs no words. */
function watched(session: Session, fetch: Fetch): { fetch: Fetch; onRetry: (retry: { attempt: number }) => void } {
  let isAway = false;
  return {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (isAway && response.ok) tell(session, "the service answers again");
      isAway &&= !response.ok;
      return response;
    },
    onRetry: ({ attempt }) => {
      if (attempt > 1 && !isAway) tell(session, "the service does not answer any more; this goes on when it does");
      isAway ||= attempt > 1;
    },
  };
}
