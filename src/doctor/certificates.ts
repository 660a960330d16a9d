import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isLoopbackName } from "../sockets/addresses.ts";
import { type Box, type Finding, messageOf, note, ok, problem } from "./box.ts";

/** The TLS files, as a client will take them. */
export function certificates({ settings: { tls, hostname } }: Box): Finding[] {
  const { certificate, key, clientCa } = tls;
  if (certificate === null || key === null) {
    if (hostname === "" || isLoopbackName(hostname)) return [ok("off: the service answers by HTTP, on loopback alone")];
    return [
      note(
        `off, and ${hostname} is beyond loopback: tokens and output can be read on the way`,
        "set JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY, unless the network itself encrypts",
      ),
    ];
  }
  const authorities = clientCa === null ? [] : read(() => certificateAt("JOBRUNNER_TLS_CLIENT_CA", clientCa));
  return [...read(() => certificateAt("JOBRUNNER_TLS_CERT", certificate)), ...read(() => keyOf({ certificate, key })), ...authorities];
}

function read(look: () => Finding): Finding[] {
  try {
    return [look()];
  } catch (error) {
    return [problem(messageOf(error), "name a file that this user can read, in the form PEM, a key without a passphrase")];
  }
}

const soonMs = 14 * 24 * 3600 * 1000;

function certificateAt(variable: string, path: string): Finding {
  const { validFromDate, validToDate, subjectAltName, subject } = parsed(variable, path, (text) => new X509Certificate(text));
  const name = subjectAltName ?? subject.replaceAll("\n", ", ");
  const until = validToDate.toISOString();
  if (validFromDate.getTime() > Date.now())
    return problem(
      `${variable}: ${path} (${name}) is valid from ${validFromDate.toISOString()} on alone`,
      "wait, or see whether the clock is right",
    );
  if (validToDate.getTime() < Date.now())
    return problem(`${variable}: ${path} (${name}) has expired, ${until}`, "renew it: the service takes it up by itself");
  if (validToDate.getTime() < Date.now() + soonMs)
    return note(`${variable}: ${path} (${name}) expires soon, ${until}`, "renew it: the service takes it up by itself");
  return ok(`${variable}: ${path} (${name}) is valid until ${until}`);
}

function keyOf({ certificate, key }: { certificate: string; key: string }): Finding {
  const own = parsed("JOBRUNNER_TLS_KEY", key, createPrivateKey);
  const first = parsed("JOBRUNNER_TLS_CERT", certificate, (text) => new X509Certificate(text));
  if (!first.checkPrivateKey(own))
    return problem(
      `JOBRUNNER_TLS_KEY: ${key} is not the key of the first certificate in ${certificate}`,
      "name the key that belongs to it",
    );
  if ((statSync(key).mode & 0o004) !== 0) return note(`JOBRUNNER_TLS_KEY: everybody on this box can read ${key}`, `chmod o= ${key}`);
  return ok(`JOBRUNNER_TLS_KEY: ${key} is its key`);
}

function parsed<Result>(variable: string, path: string, parse: (text: string) => Result): Result {
  try {
    if (!statSync(path).isFile()) throw new Error("it is not a regular file");
    return parse(readFileSync(path, "latin1"));
  } catch (cause) {
    throw new Error(`${variable} names ${path}, which cannot be used: ${messageOf(cause)}`, { cause });
  }
}
