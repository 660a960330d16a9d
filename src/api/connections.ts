import { readFileSync } from "node:fs";
import type { Server, Socket } from "node:net";
import type { Log } from "../runner/log.ts";
import { connectionsWithin, descriptorsOfService } from "../sockets/descriptors.ts";
import { endWith } from "./closing.ts";
import { Problem } from "./problems.ts";
import type { Bounds } from "../operations/shares.ts";

const minConnections = 8;
const maxRefusals = 32;
const retryAfterSeconds = 5;
const warningIntervalMs = 60_000;

/** Limits the connections of all servers together, to the configured number and to what the limit of file descriptors allows. */
export class Connections {
  readonly #configured: number;
  readonly #max: number;
  readonly #log: Log;
  readonly #open = new Set<Socket>();
  readonly #refused = new Set<Socket>();
  #lastWarningMs = -Infinity;

  constructor(configured: number, log: Log) {
    this.#configured = configured;
    this.#max = Math.min(configured, Math.max(minConnections, connectionsWithin(fileLimit())));
    this.#log = log;
  }

  /** Logs the limit if it is lower than the configured one. */
  logLimit(): void {
    if (this.#max === this.#configured) return;
    const numbers = { configured: this.#configured, allowed: this.#max };
    this.#log("info", "the limit of file descriptors (ulimit -n) allows fewer connections than JOBRUNNER_MAX_CONNECTIONS", numbers);
  }

  /**
   * Applies the limit to the connections of a server. Further connections are answered with 503. If the server speaks TLS, they are closed
   * without an answer, because an answer needs a handshake. Node.js has no event before "connection", so its own listeners run after the
   * check.
   */
  guard(server: Server, { speaksTls }: { speaksTls: boolean }): void {
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket) => {
      if (this.#open.size >= this.#max) return this.#refuse(socket, speaksTls);
      keepIn(this.#open, socket);
      for (const listener of listeners) Reflect.apply(listener, server, [socket]);
    });
    server.on("error", (error) => {
      if (server.listening) this.#warn("a connection could not be accepted", { err: error });
    });
  }

  /** Closes all connections at once. */
  close(): void {
    for (const socket of [...this.#open, ...this.#refused]) socket.destroy();
  }

  #refuse(socket: Socket, speaksTls: boolean): void {
    this.#warn("connections are refused: the maximum number is open", { connections: this.#max });
    if (speaksTls || this.#refused.size >= maxRefusals) return void socket.destroy();
    keepIn(this.#refused, socket);
    const detail = `the maximum of ${this.#max} connections is open (JOBRUNNER_MAX_CONNECTIONS, ulimit -n): close some, or try again later`;
    endWith(socket, new Problem("too-many-connections", detail, { retryAfterSeconds }));
  }

  /** At most one warning a minute, so that a client that opens many connections cannot fill the log. */
  #warn(message: string, fields: object): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastWarningMs < warningIntervalMs) return;
    this.#lastWarningMs = nowMs;
    this.#log("warn", message, fields);
  }
}

/** How many file descriptors this process may have. Node.js raises the soft limit to the hard one at its start (proc_pid_limits(5)). */
export function fileLimit(): number {
  const [, number] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
  return number === undefined ? Infinity : Number(number);
}

/**
 * How many readers of output the limit of file descriptors allows. The descriptors that the service itself does not need are divided, so
 * that they suffice when every limit is reached: half for connections; 7/16 for readers, because a reader has up to two files open besides
 * its connection; a sixteenth for files of workspaces that are being received (Context.descriptors). Listings of folders run a few at a
 * time (Turns), and each has two descriptors open.
 */
export function readersWithin(limit: number): number {
  return Math.max(minConnections / 2, Math.floor(((limit - descriptorsOfService) * 7) / 32));
}

/** How many files of workspaces may be open, besides those of readers. */
export function filesWithin(limit: number): Bounds {
  const max = Math.max(minConnections, Math.floor((limit - descriptorsOfService) / 16));
  return { max, maxPerIdentity: Math.max(minConnections / 2, Math.floor(max / 4)) };
}

function keepIn(set: Set<Socket>, socket: Socket): void {
  set.add(socket);
  socket.once("close", () => set.delete(socket));
}
