import { chmodSync, lstatSync, rmSync, statSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { codeOf } from "../lib/error-code.ts";

/** A unix socket that only this user and root can connect to (unix(7)). */

const maxPathBytes = 107; // sun_path has 108, with the byte 0 at the end
const ownerOnly = 0o600;

/**
 * Listens on a socket at `path`, in an existing folder. Replaces the socket of a server that has died. The socket is removed when the
 * server is closed. Throws an error for people if that is impossible.
 */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxPathBytes)
    throw new Error(
      `JOBRUNNER_SOCKET has ${bytes} bytes: the path of a unix socket can have at most ${maxPathBytes} (unix(7)): name a shorter one`,
    );
  try {
    const folder = dirname(path);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new Error(`JOBRUNNER_SOCKET is in ${folder}, which is not a directory: create it first`);
    await removeStale(path);
    await bind(server, path);
    chmodSync(path, ownerOnly);
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) === "") throw error; // it is already an error for people
    throw new Error(
      `JOBRUNNER_SOCKET names ${path}, where no socket can be created (${error.message}): use a directory that this user can write to`,
      { cause: error },
    );
  }
}

/** Removes a socket without a listener. Any other file stays, and is an error. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new Error(`JOBRUNNER_SOCKET names ${path}, which exists and is not a socket: remove it, or name another path`);
  const failure = await tryToConnect(path);
  if (failure === null || failure === "EAGAIN")
    throw new Error(`${path} is in use by another program: stop it, or set JOBRUNNER_SOCKET to another path`);
  if (failure !== "ECONNREFUSED" && failure !== "ENOENT")
    throw new Error(`JOBRUNNER_SOCKET names ${path}, a socket that may not be used (${failure}): name another path`);
  rmSync(path, { force: true });
}

/** The error code, or null if a listener accepts. EAGAIN: the listener's queue is full. */
function tryToConnect(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(null);
    });
    socket.once("error", (error) => resolve(codeOf(error) || error.message));
  });
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // listen() creates the socket before it returns, so the socket never has wider permissions.
    const umaskBefore = process.umask(0o777 & ~ownerOnly);
    server.listen({ path, backlog: 4096 }, () => {
      server.off("error", reject);
      resolve();
    });
    process.umask(umaskBefore);
  });
}
