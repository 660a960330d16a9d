import { lstatSync, statSync } from "node:fs";
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { connect, createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { LocalPeers } from "../identity/peers.ts";
import { KernelSockets } from "../sockets/kernel-sockets.ts";
import { codeOf } from "../lib/error-code.ts";
import { type Box, type Finding, isWritable, note, ok, problem, type Settings } from "./box.ts";
import { serviceOf } from "./running.ts";

/** Where the service would listen, and whether it can identify local users. */

const timeoutMs = 2000;

export async function ports(box: Box): Promise<Finding[]> {
  const { port, hostname } = box.settings;
  if (port === null) return [ok("no port: JOBRUNNER_PORT is none")];
  const addresses = hostname === "" ? ["127.0.0.1", "::1"] : [hostname];
  return await Promise.all(addresses.map((address) => portOf(box, { address, port })));
}

type Where = { address: string; port: number };

async function portOf(box: Box, where: Where): Promise<Finding> {
  const url = urlOf(box.settings, where);
  switch (await tryToListen(where)) {
    case null:
      return ok(where.port === 0 ? `${where.address} is an address of this box; the service takes any free port` : `${url} is free`);
    case "EADDRINUSE":
      return await identifyListener(box, where);
    case "EACCES":
      return problem(
        `this user may not listen on ${url}`,
        "set JOBRUNNER_PORT to a port from 1024 on, or let systemd give AmbientCapabilities=CAP_NET_BIND_SERVICE",
      );
    default:
      if (where.address === "::1") return ok("this box has no IPv6: the service listens on 127.0.0.1 only");
      return problem(
        `${where.address} is not an address of this box`,
        "set JOBRUNNER_HOSTNAME to an address of this box, or leave it empty",
      );
  }
}

async function identifyListener(box: Box, where: Where): Promise<Finding> {
  const url = urlOf(box.settings, where);
  const found = await jobrunnerAt(box.settings, where);
  const other = `stop it (ss -ltnp 'sport = :${where.port}' names it), or set JOBRUNNER_PORT to another port`;
  if (found === null) return problem(`${url} is in use by another program`, other);
  const name = found.version === null ? "a jobrunner that does not know this user" : `jobrunner ${found.version}`;
  const pid = serviceOf(box.settings.stateDir);
  if (pid === null)
    return note(
      `${url} is in use by ${name}, which has another state directory`,
      "use that service, or set JOBRUNNER_PORT to another port for a second one",
    );
  if (found.version === null || found.version === box.version) return ok(`${url} is served by ${name}, process ${pid}`);
  return note(
    `${url} is served by ${name}, process ${pid}, but this program is ${box.version}`,
    "restart the service: jobs continue meanwhile",
  );
}

/** Null: no jobrunner. A service that does not identify us hides its version, but its refusal of a foreign host is known. */
async function jobrunnerAt(settings: Settings, where: Where): Promise<{ version: string | null } | null> {
  const [, version] = /"version":"([^"]+)".*"launcher":/.exec(await answerOf(settings, { ...where, Host: "localhost" })) ?? [];
  if (version !== undefined) return { version };
  return (await answerOf(settings, { ...where, Host: "jobrunner-doctor.invalid" })).includes("urn:jobrunner:problem:foreign-host")
    ? { version: null }
    : null;
}

/** The answer of GET /healthz, or "". The certificate is not verified, because the request holds no secret. */
function answerOf({ tls }: Settings, { address: host, port, Host }: Where & { Host: string }): Promise<string> {
  const options = { host, port, path: "/healthz", headers: { Host }, agent: false, timeout: timeoutMs, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const read = (response: IncomingMessage): void => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (chunk: string) => (text = (text + chunk).slice(0, 10_000)))
        .once("close", () => resolve(text));
    };
    const request = tls.certificate === null ? getHttp(options, read) : getHttps(options, read);
    request.once("error", () => resolve("")).once("timeout", () => request.destroy(new Error("it does not answer")));
  });
}

/** The errno(3) of listening on the address; null: it works. */
async function tryToListen({ address: host, port }: Where): Promise<string | null> {
  const server = createServer();
  const code = await new Promise<string | null>((resolve) => {
    server.once("error", (error) => resolve(codeOf(error))).listen({ host, port, ipv6Only: host.includes(":") }, () => resolve(null));
  });
  await closed(server);
  return code;
}

function urlOf({ tls }: Settings, { address, port }: Where): string {
  return `${tls.certificate === null ? "http" : "https"}://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

const maxPathBytes = 107; // unix(7)

export async function unixSocket({ settings: { socketPath: path, stateDir } }: Box): Promise<Finding[]> {
  if (path === null) return [];
  if (Buffer.byteLength(path) > maxPathBytes)
    return [problem(`JOBRUNNER_SOCKET is longer than the ${maxPathBytes} bytes of a unix socket's path`, "set it to a shorter path")];
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    return [problem(`JOBRUNNER_SOCKET is in ${folder}, which is not a directory`, "create the directory first")];
  if (!isWritable(folder))
    return [
      problem(
        `JOBRUNNER_SOCKET is in ${folder}, which this user may not write to`,
        `name a path in a directory that ${ownUser.name} may write to`,
      ),
    ];
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [ok(`${path} is free`)];
  if (!found.isSocket()) return [problem(`${path} exists and is not a socket`, "remove it, or set JOBRUNNER_SOCKET to another path")];
  if (!(await answers(path))) return [ok(`${path} was left by a service that is gone: the next start replaces it`)];
  const pid = serviceOf(stateDir);
  return [
    pid === null
      ? problem(`${path} is in use by another program`, "stop it, or set JOBRUNNER_SOCKET to another path")
      : ok(`${path} is served by process ${pid}`),
  ];
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
      .once("error", () => resolve(false))
      .once("connect", () => {
        socket.destroy();
        resolve(true);
      });
  });
}

/** Whether the kernel reports the owner of a connection within this machine. If so, this user needs no token. */
export async function trust({ settings, supervisor }: Box): Promise<Finding[]> {
  if (!settings.access.localTrust) return [ok("every request needs a token: JOBRUNNER_LOCAL_TRUST is false")];
  if ("problem" in supervisor) return [];
  const sockets = new KernelSockets(supervisor.path);
  const server = createServer();
  try {
    const uid = await ownerOfOwn(server, new LocalPeers(sockets)).catch(() => null); // there is no loopback interface
    if (uid === ownUser.uid) return [ok("requests of this user and of root over loopback need no token")];
    return [
      note(
        "the kernel does not report the owner of a connection: every request needs a token",
        "send a token: the first one is in the file `token` of the state directory",
      ),
    ];
  } finally {
    sockets.close();
    await closed(server);
  }
}

function ownerOfOwn(server: Server, peers: LocalPeers): Promise<number | null> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") return reject(new Error("the server listens on no TCP address"));
      const client = connect(address.port, "127.0.0.1").once("error", reject);
      server.once("connection", (socket) => {
        void peers
          .uidOf(socket)
          .then(resolve, reject)
          .finally(() => {
            for (const end of [client, socket]) end.destroy();
          });
      });
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve())); // also if it never listened, which is an error
}
