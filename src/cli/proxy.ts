import { isLoopbackName } from "../sockets/addresses.ts";
import { UsageError } from "./usage-error.ts";

type Environment = NodeJS.Dict<string>;

/** The variables that name a proxy, as Node.js's agents take them (`proxyEnv`), and which of them it is. */
export type ProxySettings = { variable: string; variables: { HTTP_PROXY?: string; HTTPS_PROXY?: string; NO_PROXY?: string } };

/**
 * How a service is reached through the proxy of the environment; null: directly. As in Go's programs, such as docker and kubectl: a
 * variable in small letters goes before, and nothing on this box is asked through a proxy. Throws UsageError where the proxy can be none.
 */
export function proxyFor(serviceUrl: string, environment: Environment): ProxySettings | null {
  const { protocol, hostname } = new URL(serviceUrl);
  if (isLoopbackName(hostname.replace(/^\[|\]$/g, ""))) return null;
  const name = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const variable = [name.toLowerCase(), name].find((one) => (environment[one] ?? "") !== "");
  if (variable === undefined) return null;
  const text = environment[variable] ?? "";
  const url = text.includes("://") ? text : `http://${text}`; // as curl takes it
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`${variable} must be the URL of a proxy, as http://proxy:3128, or of none: NO_PROXY names what is asked directly`);
  const exceptions = environment["no_proxy"] ?? environment["NO_PROXY"];
  return { variable, variables: { [name]: url, ...(exceptions === undefined ? {} : { NO_PROXY: exceptions }) } };
}

/** What failed where a variable names a proxy: it may be the proxy, and not the service, that is not there. */
export class ProxyError extends Error {
  readonly variable: string;

  constructor(variable: string, cause: unknown) {
    super(`through the proxy that ${variable} names`, { cause });
    this.variable = variable;
  }
}
