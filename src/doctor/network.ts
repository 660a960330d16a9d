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

/** Where the service would listen, and whom it would know. */

const timeoutMs = 2000;

export async function ports(box: Box): Promise<Finding[]> {
  const { port, hostname } = box.settings;
  if (port === null) return [ok("none is listened on: JOBRUNNER_PORT is none")];
  const addresses = hostname === "" ? ["127.0.0.1", "::1"] : [hostname];
  return await Promise.all(addresses.map((address) => portOf(box, { address, port })));
}

type Where = { address: string; port: number };

async function portOf(box: Box, where: Where): Promise<Finding> {
  const url = urlOf(box.settings, where);
  switch (await listening(where)) {
    case null:
      return ok(where.port === 0 ? `${where.address} is there; any free port is taken` : `${url} is free`);
    case "EADDRINUSE":
      return await whoAnswers(box, where);
    case "EACCES":
      return problem(
        `${url} may not be used by this user`,
        "set JOBRUNNER_PORT to a port from 1024 on, or let systemd give AmbientCapabilities=CAP_NET_BIND_SERVICE",
      );
    default:
      if (where.address === "::1") return ok("no IPv6 is on this box: 127.0.0.1 is listened on alone");
      return problem(`${where.address} is not an address of this box`, "set JOBRUNNER_HOSTNAME to one that is, or leave it empty");
  }
}

async function whoAnswers(box: Box, where: Where): Promise<Finding> {
  const url = urlOf(box.settings, where);
  const found = await jobrunnerAt(box.settings, where);
  const other = `stop it (ss -ltnp 'sport = :${where.port}' names it), or set JOBRUNNER_PORT to another port`;
  if (found === null) return problem(`${url} is in use by another program`, other);
  const name = found.version === null ? "a jobrunner that does not know this user" : `jobrunner ${found.version}`;
  const pid = serviceOf(box.settings.stateDir);
  if (pid === null)
    return note(
      `${url} is in use by ${name}, which has another state directory`,
      "use that one; for a second one, set JOBRUNNER_PORT to another port",
    );
  if (found.version === null || found.version === box.version) return ok(`${url} is served by ${name}, process ${pid}`);
  return note(`${url} is served by ${name}, process ${pid}, and this is ${box.version}`, "restart the service: jobs go on meanwhile");
}

/** Null: no jobrunner. One that does not know us says its version to nobody, but has its own way to refuse a host that it is not. */
async function jobrunnerAt(settings: Settings, where: Where): Promise<{ version: string | null } | null> {
  const [, version] = /"version":"([^"]+)".*"launcher":/.exec(await answerOf(settings, { ...where, Host: "localhost" })) ?? [];
  if (version !== undefined) return { version };
  return (await answerOf(settings, { ...where, Host: "jobrunner-doctor.invalid" })).includes("urn:jobrunner:problem:foreign-host")
    ? { version: null }
    : null;
}

/** What it says of its health, or "". The certificate is not looked at: nothing is told that is worth it. */
function answerOf({ tls }: Settings, { address: host, port, Host }: Where & { Host: string }): Promise<string> {
  const options = { host, port, path: "/healthz", headers: { Host }, agent: false, timeout: timeoutMs, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const hear = (response: IncomingMessage): void => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (chunk: string) => (text = (text + chunk).slice(0, 10_000)))
        .once("close", () => resolve(text));
    };
    const request = tls.certificate === null ? getHttp(options, hear) : getHttps(options, hear);
    request.once("error", () => resolve("")).once("timeout", () => request.destroy(new Error("it does not answer")));
  });
}

/** Why the address cannot be listened on, by errno(3); null: it can. */
async function listening({ address: host, port }: Where): Promise<string | null> {
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
    return [problem(`JOBRUNNER_SOCKET is longer than the ${maxPathBytes} bytes that a unix socket's path can have`, "name a shorter one")];
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    return [problem(`JOBRUNNER_SOCKET is in ${folder}, which is no directory`, "make it first")];
  if (!isWritable(folder))
    return [
      problem(
        `JOBRUNNER_SOCKET is in ${folder}, where this user may not make it`,
        `name a path in a directory that ${ownUser.name} may write to`,
      ),
    ];
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [ok(`${path} is free`)];
  if (!found.isSocket()) return [problem(`${path} is there, and no socket`, "remove it, or set JOBRUNNER_SOCKET to another path")];
  if (!(await answers(path))) return [ok(`${path} was left by a service that is gone: it is replaced`)];
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

/** Whether the kernel says whose a connection within this box is: by that, this user needs no token. */
export async function trust({ settings, supervisor }: Box): Promise<Finding[]> {
  if (!settings.access.localTrust) return [ok("every request needs a token: JOBRUNNER_LOCAL_TRUST is false")];
  if ("problem" in supervisor) return [];
  const sockets = new KernelSockets(supervisor.path);
  const server = createServer();
  try {
    const uid = await ownerOfOwn(server, new LocalPeers(sockets)).catch(() => null); // no loopback at all
    if (uid === ownUser.uid) return [ok("requests of this user and of root over loopback need no token")];
    return [
      note(
        "the kernel does not say here whose a connection is: every request needs a token",
        "send one: the first is in the file `token` of the state directory",
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
  return new Promise((resolve) => void server.close(() => resolve())); // one that never listened says so, and is closed
}
