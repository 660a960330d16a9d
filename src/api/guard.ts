import type { IncomingMessage } from "node:http";
import { isLoopbackName, unmapIPv4 } from "../sockets/addresses.ts";
import { Problem } from "./problems.ts";

/** Names, in lower case, that the Host header may have besides loopback's: `hostname` is what the service listens on ("" for loopback). */
export type KnownHosts = { hostname: string; allowedHosts: string[] };

/**
 * Refuses requests from web pages of other sites, with every method. A script can make a browser on this machine send requests to loopback
 * addresses, and an attacker can make a name resolve to such an address (DNS rebinding).
 * Sources: the Fetch standard (Origin), Fetch Metadata (Sec-Fetch-Site).
 */
export function makeGuard(known: KnownHosts): (request: IncomingMessage) => void {
  return (request) => {
    const host = checkHost(request, known);
    const { origin, "sec-fetch-site": site } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin, host)) {
      throw new Problem("foreign-origin", "the Origin header names another site: only pages of this service may use it");
    }
    if (site !== undefined && site !== "same-origin" && site !== "none") {
      throw new Problem("foreign-origin", `Sec-Fetch-Site is ${JSON.stringify(site)}: only pages of this service may use it`);
    }
  };
}

/**
 * The request must have exactly one well-formed Host header. It names a loopback address, the address at which the connection arrived (DNS
 * rebinding needs a name), what the service listens on, or an allowed name.
 */
function checkHost(request: IncomingMessage, { hostname, allowedHosts }: KnownHosts): string {
  const hosts = request.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === "host");
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) throw new Problem("bad-request", "the request must have exactly one Host header (RFC 9112)");
  const target = authorityOf(request.url ?? "");
  if (target !== null && target.toLowerCase() !== host.toLowerCase()) {
    throw new Problem("bad-request", "the request target names another host than the Host header: they must be the same (RFC 9112, 3.2.2)");
  }
  const name = hostName(host);
  if (name === null) throw new Problem("bad-request", "the Host header is not a name or address with an optional port (RFC 9110)");
  const isKnown = isLoopbackName(name) || name === hostname || allowedHosts.includes(name) || name === localAddress(request);
  if (!isKnown)
    throw new Problem("foreign-host", "the Host header names another host: use the service's address, or set JOBRUNNER_ALLOWED_HOSTS");
  return host.toLowerCase();
}

/** The authority of a target in absolute form, as clients send it to proxies; null: the target is a path. */
function authorityOf(target: string): string | null {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1] ?? null;
}

function hostName(host: string): string | null {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(host);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
  return name === undefined || name === "" || name.startsWith(".") || name.includes("..") ? null : name;
}

function localAddress({ socket }: IncomingMessage): string | undefined {
  return socket.localAddress === undefined ? undefined : unmapIPv4(socket.localAddress);
}

/** Both schemes, because a proxy may speak HTTPS while this service speaks HTTP. */
function isOwnOrigin(origin: string, host: string): boolean {
  return origin.toLowerCase() === `http://${host}` || origin.toLowerCase() === `https://${host}`;
}
