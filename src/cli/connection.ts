import { readFileSync } from "node:fs";
import { ApiError, Silence, Unreachable } from "../client/errors.ts";
import { type Answered, Client, type Fetch, type OnRetry } from "../client/index.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { defaultUrl } from "./default-url.ts";
import { makeFetch } from "./http-fetch.ts";
import { proxyFor } from "./proxy.ts";
import { type Session, report } from "./session.ts";
import type { TlsFile, TlsFiles } from "./tls-files.ts";
import { unreadable, UsageError } from "./usage-error.ts";

/** Makes a client from options and environment. */
export async function connect(session: Session, options: ConnectionOptions): Promise<Client> {
  const variable = (name: string): string | undefined => session.environment[name] || undefined; // empty counts as unset
  const { url, socketPath } = endpointOf(options.url ?? variable("JOBRUNNER_URL") ?? defaultUrl(session.environment));
  const token = readFile(options.tokenFile, "--token-file")?.text.trim() ?? variable("JOBRUNNER_TOKEN");
  const file = (given: string | undefined, [option, name]: [string, string]): TlsFile | undefined =>
    readFile(given, option) ?? readFile(variable(name), name);
  const files = {
    ca: file(options.cacert, ["--cacert", "JOBRUNNER_CACERT"]),
    cert: file(options.clientCert, ["--client-cert", "JOBRUNNER_CLIENT_CERT"]),
    key: file(options.clientKey, ["--client-key", "JOBRUNNER_CLIENT_KEY"]),
  };
  if (url.startsWith("https:")) await checkFiles(files);
  const tls = { ca: files.ca?.text, cert: files.cert?.text, key: files.key?.text };
  const proxy = socketPath === null ? proxyFor(url, session.environment) : null;
  return new Client({ url, ...(token === undefined ? {} : { token }), ...watched(session, makeFetch({ socketPath, tls, proxy })) });
}

/** TLS is loaded only if needed. Most commands talk to their own machine. */
async function checkFiles(files: TlsFiles): Promise<void> {
  const { checkTlsFiles } = await import("./tls-files.ts");
  checkTlsFiles(files);
}

type Endpoint = { url: string; socketPath: string | null };

function endpointOf(text: string): Endpoint {
  const socketPath = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { url: "http://localhost", socketPath };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw new UsageError(`the URL of the service must begin with http://, https:// or unix:/, not ${JSON.stringify(text)}`);
  if (url.username !== "" || url.password !== "")
    throw new UsageError("the URL of the service must not contain a name and password: set JOBRUNNER_TOKEN");
  return { url: text, socketPath: null };
}

/** `by`: the option or variable that names the file. */
function readFile(file: string | undefined, by: string): TlsFile | undefined {
  const named = `${by} ${JSON.stringify(file)}`;
  try {
    return file === undefined ? undefined : { text: readFileSync(file, "utf8"), by: named };
  } catch (cause) {
    throw unreadable(named, cause);
  }
}

/**
 * Reports that the service does not answer after the first retry has failed, and later that a retry succeeded. An interruption that the
 * first retry ends is not reported.
 */
function watched(session: Session, fetch: Fetch): { fetch: Fetch; onRetry: OnRetry } {
  let isAway = false;
  let hasAnswered = false;
  return {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      const isPassed = isPassedOn(response);
      hasAnswered ||= isPassed;
      if (isAway && isPassed) report(session, "the service answers again");
      isAway &&= !isPassed;
      return response;
    },
    onRetry: ({ attempt, delayMs, cause }) => {
      const isNoticed = attempt > 1 || delayMs > noticedMs || (cause instanceof Unreachable && cause.cause instanceof Silence);
      if (isNoticed && !isAway) report(session, wordsOf(cause, { hasAnswered, delayMs }));
      isAway ||= isNoticed;
    },
  };
}

/** A delay that people notice. */
const noticedMs = 2000;

/** Whether the service itself answered: not a proxy that does not reach it, and not with "too busy". */
function isPassedOn({ status }: Answered): boolean {
  return ![429, 502, 503, 504].includes(status);
}

function wordsOf(cause: unknown, { hasAnswered, delayMs }: { hasAnswered: boolean; delayMs: number }): string {
  const when = delayMs > 2 * noticedMs ? `; asked again in ${Math.round(delayMs / 1000)} s` : "";
  if (cause instanceof ApiError && cause.code !== "not-jobrunner") return `${cause.message}; this goes on by itself${when}`;
  if (cause instanceof ApiError) return `the service is not reached (${cause.status} ${cause.title}); this goes on when it is${when}`;
  return hasAnswered
    ? "the service does not answer any more; this goes on when it does"
    : `${cause instanceof Error ? cause.message : String(cause)}; this goes on when it answers, Ctrl-C ends it`;
}
