import { isLoopbackName } from "../sockets/addresses.ts";
import { UsageError } from "./usage-error.ts";

type Environment = NodeJS.Dict<string>;

/** The variables of a proxy in the form of Node.js's agents (`proxyEnv`), and the name of the one that applies. */
export type ProxySettings = { variable: string; variables: { HTTP_PROXY?: string; HTTPS_PROXY?: string; NO_PROXY?: string } };

/**
 * The proxy of the environment for this service; null: none. The rules are those of Go programs such as docker and kubectl: lower-case
 * variables take precedence, and services on this machine are reached directly. Throws UsageError if the proxy's URL is invalid.
 */
export function proxyFor(serviceUrl: string, environment: Environment): ProxySettings | null {
  const { protocol, hostname } = new URL(serviceUrl);
  if (isLoopbackName(hostname.replace(/^\[|\]$/g, ""))) return null;
  const name = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const variable = [name.toLowerCase(), name].find((one) => (environment[one] ?? "") !== "");
  if (variable === undefined) return null;
  const text = environment[variable] ?? "";
  const url = text.includes("://") ? text : `http://${text}`; // like curl
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`${variable} must be the URL of a proxy, as http://proxy:3128, or of none: NO_PROXY names what is asked directly`);
  const exceptions = environment["no_proxy"] ?? environment["NO_PROXY"];
  return { variable, variables: { [name]: url, ...(exceptions === undefined ? {} : { NO_PROXY: exceptions }) } };
}

/** A failed request through a proxy. The proxy itself may be unreachable, and not the service. */
export class ProxyError extends Error {
  readonly variable: string;

  constructor(variable: string, cause: unknown) {
    super(`through the proxy that ${variable} names`, { cause });
    this.variable = variable;
  }
}
