import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isLoopbackName } from "../sockets/addresses.ts";
import { type Box, type Finding, messageOf, note, ok, problem } from "./box.ts";

/** Whether clients will accept the TLS files. */
export function certificates({ settings: { tls, hostname } }: Box): Finding[] {
  const { certificate, key, clientCa } = tls;
  if (certificate === null || key === null) {
    if (hostname === "" || isLoopbackName(hostname)) return [ok("off: the service speaks HTTP, on loopback only")];
    return [
      note(
        `off, and ${hostname} is beyond loopback: others can read tokens and output on the network`,
        "set JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY, unless the network encrypts the traffic",
      ),
    ];
  }
  const authorities = clientCa === null ? [] : read(() => certificateAt("JOBRUNNER_TLS_CLIENT_CA", clientCa));
  return [...read(() => certificateAt("JOBRUNNER_TLS_CERT", certificate)), ...read(() => keyOf({ certificate, key })), ...authorities];
}

function read(check: () => Finding): Finding[] {
  try {
    return [check()];
  } catch (error) {
    return [problem(messageOf(error), "name a PEM file that this user can read; a key must have no passphrase")];
  }
}

const soonMs = 14 * 24 * 3600 * 1000;

function certificateAt(variable: string, path: string): Finding {
  const { validFromDate, validToDate, subjectAltName, subject } = parsed(variable, path, (text) => new X509Certificate(text));
  const name = subjectAltName ?? subject.replaceAll("\n", ", ");
  const until = validToDate.toISOString();
  if (validFromDate.getTime() > Date.now())
    return problem(`${variable}: ${path} (${name}) is not valid before ${validFromDate.toISOString()}`, "wait, or check the clock");
  if (validToDate.getTime() < Date.now())
    return problem(`${variable}: ${path} (${name}) expired at ${until}`, "renew it: the service reloads it by itself");
  if (validToDate.getTime() < Date.now() + soonMs)
    return note(`${variable}: ${path} (${name}) expires soon, at ${until}`, "renew it: the service reloads it by itself");
  return ok(`${variable}: ${path} (${name}) is valid until ${until}`);
}

function keyOf({ certificate, key }: { certificate: string; key: string }): Finding {
  const own = parsed("JOBRUNNER_TLS_KEY", key, createPrivateKey);
  const first = parsed("JOBRUNNER_TLS_CERT", certificate, (text) => new X509Certificate(text));
  if (!first.checkPrivateKey(own))
    return problem(
      `JOBRUNNER_TLS_KEY: ${key} is not the key of the first certificate in ${certificate}`,
      "name the key of that certificate",
    );
  if ((statSync(key).mode & 0o004) !== 0) return note(`JOBRUNNER_TLS_KEY: everybody on this box can read ${key}`, `chmod o= ${key}`);
  return ok(`JOBRUNNER_TLS_KEY: ${key} is the key of the certificate`);
}

function parsed<Result>(variable: string, path: string, parse: (text: string) => Result): Result {
  try {
    if (!statSync(path).isFile()) throw new Error("it is not a regular file");
    return parse(readFileSync(path, "latin1"));
  } catch (cause) {
    throw new Error(`${variable} names ${path}, which cannot be used: ${messageOf(cause)}`, { cause });
  }
}
