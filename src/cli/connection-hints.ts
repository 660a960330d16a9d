import type { ApiError, Unreachable } from "../client/errors.ts";
import { ProxyError } from "./proxy.ts";
import { visible } from "./table.ts";

/** What to do if there is no connection, or one to another program. */

const authority = "The authority of its certificate is to be named: --cacert, or the variable JOBRUNNER_CACERT.";
const clientCertificate =
  "It wants a certificate of who asks: --client-cert and --client-key, or the variables JOBRUNNER_CLIENT_CERT and JOBRUNNER_CLIENT_KEY.";
const otherClientCertificate =
  "It does not take the certificate of who asks (--client-cert): it must be one of the authority that the service names, and be valid now.";
const speaksTls = "What is there speaks no HTTP. If it is TLS, the URL begins with https://.";
const speaksNoTls = "What is there speaks no TLS. If it is HTTP, the URL begins with http://.";

/**
 * Matches `CODE MESSAGE`: the codes of Node.js (for certificates those of X509_STORE_CTX_get_error(3)), and OpenSSL's texts of alerts
 * (RFC 8446, 6.2) and errors.
 */
const hints: [trouble: RegExp, hint: string | ((error: Unreachable) => string)][] = [
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED|INVALID_CA|CERT_SIGNATURE_FAILURE) /,
    authority,
  ],
  [/^ERR_TLS_CERT_ALTNAME_INVALID /, anotherName],
  [
    /^CERT_HAS_EXPIRED /,
    () =>
      `The service's certificate is to be renewed, where the service is; or the clock here is wrong, which says ` +
      `${new Date().toISOString()}.`,
  ],
  [
    /^CERT_NOT_YET_VALID /,
    () => `The service's certificate is for later; or the clock here is wrong, which says ${new Date().toISOString()}.`,
  ],
  [/^CERT_REVOKED /, "The service needs another certificate: its authority has taken this one back."],
  [/TLS failed: .*alert (certificate required|handshake failure)/, clientCertificate],
  [/TLS failed: .*alert (unknown ca|bad certificate|certificate \w+|unsupported certificate|decrypt error)/, otherClientCertificate],
  [/TLS failed: (wrong version number|packet length too long|http request|record layer failure)/, speaksNoTls],
  [/TLS failed: /, "There is something that speaks TLS, and not as it is spoken here (TLS 1.2 or newer)."],
  [
    /before secure TLS connection/,
    "What is there closed the connection before TLS had come to be: if it speaks HTTP, the URL begins with http://; if it wants a " +
      "certificate of who asks: --client-cert.",
  ],
  [/^HPE_/, speaksTls],
];

const nothingThere = "Start one with 'jobrunner', or say where it is: --url, or the variable JOBRUNNER_URL.";

/** For a service that does not answer. */
export function hintOf(error: Unreachable): string {
  const [, hint = null] = hints.find(([trouble]) => trouble.test(`${error.code} ${error.message}`)) ?? [];
  if (hint !== null) return typeof hint === "string" ? hint : hint(error);
  const proxy = proxyOf(error);
  return proxy === null
    ? nothingThere
    : `It was asked through the proxy that ${proxy.variable} names: is that there, and does it let this through? NO_PROXY names what is ` +
        `asked directly.`;
}

function anotherName(error: Unreachable): string {
  const names = namesOf(error);
  return (
    `The URL must name the service as its certificate does${names === null ? "" : ` (${visible(names)})`}; or the service needs a ` +
    `certificate that has this name, too.`
  );
}

/** The names in the certificate that Node.js refused, in its notation. */
function namesOf(error: Error): string | null {
  if ("cert" in error && typeof error.cert === "object" && error.cert !== null && "subjectaltname" in error.cert)
    return String(error.cert.subjectaltname);
  return error.cause instanceof Error ? namesOf(error.cause) : null;
}

function proxyOf(error: Error): ProxyError | null {
  if (error instanceof ProxyError) return error;
  return error.cause instanceof Error ? proxyOf(error.cause) : null;
}

/** For an answer that is not from a jobrunner; null: the status says enough. */
export function hintOfOther({ status, message }: ApiError): string | null {
  if ([502, 503, 504].includes(status)) return "A proxy is there that does not reach the service: is it running?";
  if (status !== 400) return null;
  return message.includes("https://")
    ? `If a proxy is there: ${clientCertificate}`
    : "If that is a port for TLS, the URL begins with https://.";
}
