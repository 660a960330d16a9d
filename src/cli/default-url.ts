/**
 * Where the service is if nobody says it: where a service started with this environment would listen. A port is preferred to a socket only
 * if it is given, because 8080 is often another program's.
 */
export function defaultUrl(environment: Record<string, string | undefined>): string {
  const read = (name: string): string | null => environment[name]?.trim() || null; // empty counts as unset
  const [port, socketPath] = [read("JOBRUNNER_PORT"), read("JOBRUNNER_SOCKET")];
  const isPort = port !== null && /^[1-9]\d{0,4}$/.test(port); // not "none", nor 0 for any free port
  if (!isPort && socketPath?.startsWith("/") === true) return `unix:${socketPath}`;
  const scheme = read("JOBRUNNER_TLS_CERT") === null ? "http" : "https";
  return `${scheme}://${hostOf(read("JOBRUNNER_HOSTNAME"))}:${isPort ? port : 8080}`;
}

function hostOf(hostname: string | null): string {
  if (hostname === null || ["0.0.0.0", "::", "[::]"].includes(hostname)) return "localhost";
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}
