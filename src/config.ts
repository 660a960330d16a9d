import { isAbsolute } from "node:path";
import { directory, flag, hostname, hostnames, integer, oneOf, optionalFile, port, program, roleTable, users } from "./config-values.ts";
import { ownUser } from "./identity/own-user.ts";
import { isLoopbackName } from "./sockets/addresses.ts";

/**
 * Configuration: environment variables only, each with a default. readAll declares each variable once, for reading, checking and --help.
 */

export type LogLevel = "error" | "warn" | "info";
export type Config = ReturnType<typeof readAll> & { engineEnvironment: Record<string, string> };

type Environment = NodeJS.Dict<string>;
type Read = <Value>(name: string, fallback: string, meaning: string, parse: (text: string) => Value) => Value;

/** Variables that jobs get, and that clients and bin/jobrunner read. The service ignores them. */
export const foreign = new Set([
  "JOBRUNNER_JOB_ID",
  "JOBRUNNER_STEP",
  "JOBRUNNER_WORKSPACE",
  "JOBRUNNER_URL",
  "JOBRUNNER_TOKEN",
  "JOBRUNNER_CACERT",
  "JOBRUNNER_CLIENT_CERT",
  "JOBRUNNER_CLIENT_KEY",
  "JOBRUNNER_SOURCE",
]);

const maxInteger = Number.MAX_SAFE_INTEGER;

function readAll(read: Read, environment: Environment) {
  const seconds = integer(1, 86_400);
  const count = integer(1, 1_000_000);
  return {
    port: read("JOBRUNNER_PORT", "8080", "TCP port of the API; 0: any free port; none: only the unix socket", port),
    hostname: read("JOBRUNNER_HOSTNAME", "", "address to listen on; empty: the loopback addresses of IPv4 and IPv6", hostname),
    socketPath: read("JOBRUNNER_SOCKET", "", "path of a unix socket that this user and root can use; empty: none", optionalFile),
    stateDir: read("JOBRUNNER_STATE_DIR", defaultStateDir(environment), "directory for the database and the jobs", directory),
    maxRunning: read(
      "JOBRUNNER_MAX_RUNNING",
      "10000",
      "maximum number of running jobs; further jobs wait in a queue, first in, first out",
      count,
    ),
    shell: read("JOBRUNNER_SHELL", "bash", "shell that runs a CommandLine: a path, or a name that is looked up in the job's PATH", program),
    cgroups: read(
      "JOBRUNNER_CGROUPS",
      "auto",
      "auto: a cgroup for each job where the service can create one; off: no cgroups",
      oneOf("auto", "off"),
    ),
    containerEngine: read(
      "JOBRUNNER_CONTAINER_ENGINE",
      "auto",
      "docker, podman, nerdctl or the path of one; auto: the first of these that answers; none: no containers",
      program,
    ),
    minFreeBytes: read(
      "JOBRUNNER_MIN_FREE_BYTES",
      "67108864",
      "refuse new jobs when the disk has less free space; running jobs and the database need the rest",
      integer(0, maxInteger),
    ),
    logLevel: read(
      "JOBRUNNER_LOG_LEVEL",
      "info",
      "error, warn or info; the log is written to standard error, as one JSON object per line",
      oneOf("error", "warn", "info"),
    ),
    access: {
      localTrust: read(
        "JOBRUNNER_LOCAL_TRUST",
        "true",
        "true: processes of this user and of root need no token over loopback; false: everybody needs one",
        flag,
      ),
      allowedHosts: read(
        "JOBRUNNER_ALLOWED_HOSTS",
        "",
        "more names that the Host header may have, separated by commas, such as a proxy's",
        hostnames,
      ),
      isInsecure: read(
        "JOBRUNNER_INSECURE",
        "false",
        "true: allow an address beyond loopback without TLS; others can then read the traffic, tokens included",
        flag,
      ),
    },
    allowedUsers: read(
      "JOBRUNNER_ALLOWED_USERS",
      "",
      "users as whom jobs may run, separated by commas; only for a service that runs as root",
      users,
    ),
    tls: {
      certificate: read("JOBRUNNER_TLS_CERT", "", "file with the certificate and its chain (PEM); turns on HTTPS", optionalFile),
      key: read("JOBRUNNER_TLS_KEY", "", "file with the private key of the certificate (PEM)", optionalFile),
      clientCa: read(
        "JOBRUNNER_TLS_CLIENT_CA",
        "",
        "file with the authority that signs client certificates (PEM); empty: no client certificates",
        optionalFile,
      ),
      clientRoles: read(
        "JOBRUNNER_TLS_CLIENT_ROLES",
        "",
        "role of each client certificate, by common name, such as alice=admin,ci=submit; others are refused",
        roleTable,
      ),
    },
    limits: {
      maxBodyBytes: read(
        "JOBRUNNER_MAX_BODY_BYTES",
        "4194304",
        "maximum size of a request body: enough for a long script, little enough for thousands at once",
        integer(1024, 1 << 30),
      ),
      maxFileBytes: read(
        "JOBRUNNER_MAX_FILE_BYTES",
        "1073741824",
        "maximum size of a file that is uploaded to a workspace; it is streamed to the disk",
        integer(1024, maxInteger),
      ),
      maxHeaderBytes: read(
        "JOBRUNNER_MAX_HEADER_BYTES",
        "16384",
        "maximum size of a request's path and headers together; browsers and proxies keep within it",
        integer(2048, 1 << 20),
      ),
      headersTimeoutSeconds: read(
        "JOBRUNNER_HEADERS_TIMEOUT_SECONDS",
        "20",
        "how long the headers of a request may take to arrive; a slow line needs about a second",
        seconds,
      ),
      requestTimeoutSeconds: read(
        "JOBRUNNER_REQUEST_TIMEOUT_SECONDS",
        "60",
        "how long a whole request may take to arrive, plus a second for every 16 KiB of body received",
        seconds,
      ),
      idleTimeoutSeconds: read(
        "JOBRUNNER_IDLE_TIMEOUT_SECONDS",
        "75",
        "how long an idle connection is kept between requests; longer than the 60 s of common proxies",
        seconds,
      ),
      maxConnections: read(
        "JOBRUNNER_MAX_CONNECTIONS",
        "8000",
        "maximum number of open connections, within the limit on file descriptors; each needs up to 100 kB",
        count,
      ),
      maxReaders: read(
        "JOBRUNNER_MAX_READERS",
        "4000",
        "maximum number of readers of output and events; half of all connections, so that other requests get through",
        count,
      ),
      maxReadersPerJob: read(
        "JOBRUNNER_MAX_READERS_PER_JOB",
        "2000",
        "maximum number of readers of one job's output, so that one job cannot take them all",
        count,
      ),
      maxReadersPerIdentity: read(
        "JOBRUNNER_MAX_READERS_PER_IDENTITY",
        "2000",
        "maximum number of readers with one token or certificate; never more than half of all readers",
        count,
      ),
      readerTimeoutSeconds: read(
        "JOBRUNNER_READER_TIMEOUT_SECONDS",
        "60",
        "how long a reader may accept no data before it is disconnected",
        seconds,
      ),
      maxRequestsPerSecond: read(
        "JOBRUNNER_MAX_REQUESTS_PER_SECOND",
        "5000",
        "maximum request rate of one identity; about half of what one core can answer",
        count,
      ),
      maxFailuresPerMinute: read(
        "JOBRUNNER_MAX_FAILURES_PER_MINUTE",
        "60",
        "failed authentications of one address that are checked and audited; further ones are refused at once",
        count,
      ),
    },
    audit: {
      maxBytes: read(
        "JOBRUNNER_AUDIT_MAX_BYTES",
        "16777216",
        "size at which the audit log is rotated; about 60,000 lines",
        integer(4096, maxInteger),
      ),
      files: read("JOBRUNNER_AUDIT_FILES", "10", "number of audit log files to keep, including the current one", integer(1, 1000)),
    },
  };
}

/** The configuration, with each mistake as a sentence. A variable that cannot be read gets its default. */
export function readConfig(environment: Environment): { config: Config } | { config: Config; mistakes: string[] } {
  const known = new Set<string>();
  const mistakes: string[] = [];
  const values = readAll((name, fallback, _meaning, parse) => {
    known.add(name);
    try {
      return parse(environment[name] ?? fallback);
    } catch (error) {
      mistakes.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return parse(fallback);
    }
  }, environment);
  const unknown = Object.keys(environment)
    .filter((name) => name.startsWith("JOBRUNNER_") && !known.has(name) && !foreign.has(name))
    .map((name) => `${name} is not a variable of jobrunner: jobrunner --help lists them`);
  const all = [...unknown, ...mistakes, ...contradictions(values)];
  const config = { ...values, engineEnvironment: engineEnvironment(environment) };
  return all.length > 0 ? { config, mistakes: all } : { config };
}

/** Mistakes that only show when variables are taken together. */
function contradictions({ port: number, hostname: host, socketPath, tls, access }: ReturnType<typeof readAll>): string[] {
  const found: string[] = [];
  if (number === null && socketPath === null)
    found.push("JOBRUNNER_PORT is none and there is no unix socket: set JOBRUNNER_SOCKET to the path of one");
  if (tls.certificate !== null && tls.key === null)
    found.push("JOBRUNNER_TLS_KEY is missing: JOBRUNNER_TLS_CERT needs the certificate's private key");
  if (tls.key !== null && tls.certificate === null) found.push("JOBRUNNER_TLS_CERT is missing: JOBRUNNER_TLS_KEY needs its certificate");
  if (tls.clientCa !== null && tls.certificate === null)
    found.push("JOBRUNNER_TLS_CLIENT_CA needs TLS: set JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY");
  if (tls.clientCa !== null && tls.clientRoles.size === 0)
    found.push("JOBRUNNER_TLS_CLIENT_ROLES is empty: JOBRUNNER_TLS_CLIENT_CA needs a role for each client certificate");
  if (tls.clientCa === null && tls.clientRoles.size > 0)
    found.push("JOBRUNNER_TLS_CLIENT_CA is missing: JOBRUNNER_TLS_CLIENT_ROLES needs the authority of the certificates");
  if (number !== null && host !== "" && !isLoopbackName(host) && tls.certificate === null && !access.isInsecure) {
    found.push(
      `JOBRUNNER_HOSTNAME ${JSON.stringify(host)} is beyond loopback, and without TLS others can read the traffic, tokens included: ` +
        "leave it empty, set JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY, or set JOBRUNNER_INSECURE=true",
    );
  }
  return found;
}

export function helpText(environment: Environment): string {
  const rows = variables(environment).map(
    ({ name, fallback, meaning }) => `  ${name}${fallback === "" ? "" : ` (${fallback})`}\n      ${meaning}`,
  );
  return ["Environment variables, with their defaults:", ...rows].join("\n");
}

/** All variables, with their defaults in this environment. */
export function variables(environment: Environment): { name: string; fallback: string; meaning: string }[] {
  const all: ReturnType<typeof variables> = [];
  readAll((name, fallback, meaning, parse) => {
    all.push({ name, fallback, meaning });
    return parse(fallback);
  }, environment);
  return all;
}

function defaultStateDir({ XDG_STATE_HOME: state, HOME: home = ownUser.home }: Environment): string {
  if (state !== undefined && isAbsolute(state)) return `${state}/jobrunner`; // the XDG Base Directory Specification ignores relative paths
  return ownUser.uid === 0 ? "/var/lib/jobrunner" : `${home}/.local/state/jobrunner`;
}

/** Variables by which the clients of container engines find the engine, logins and helpers. */
const engineVariable =
  /^(PATH|DOCKER_.*|CONTAINER_.*|CONTAINERS_.*|CONTAINERD_.*|NERDCTL_.*|REGISTRY_AUTH_FILE|STORAGE_DRIVER|STORAGE_OPTS|CNI_PATH|NETCONFPATH|XDG_.*|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|(http|https|no|all)_proxy|SSL_CERT_(FILE|DIR))$/i;

function engineEnvironment(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value !== undefined && engineVariable.test(name) ? [[name, value]] : [])),
  );
}
