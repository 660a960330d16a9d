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

/** The connections of all servers together: no more than the configured number and than there are file descriptors for. */
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

  /** Logs the bound where it is not the configured one. */
  logBound(): void {
    if (this.#max === this.#configured) return;
    const numbers = { configured: this.#configured, allowed: this.#max };
    this.#log("info", "the limit of file descriptors (ulimit -n) allows fewer connections than JOBRUNNER_MAX_CONNECTIONS", numbers);
  }

  /**
   * Lets the server have no connection beyond the bound. Those are answered with 503, or just closed where it `speaksTls`: before a
   * handshake no answer can be given. Node has no event before "connection", so what it does on that is done after the check.
   */
  guard(server: Server, { speaksTls }: { speaksTls: boolean }): void {
    const serve = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket) => {
      if (this.#open.size >= this.#max) return this.#refuse(socket, speaksTls);
      keepIn(this.#open, socket);
      for (const listener of serve) Reflect.apply(listener, server, [socket]);
    });
    server.on("error", (error) => {
      if (server.listening) this.#warn("a connection could not be accepted", { err: error });
    });
  }

  /** Closes all at once. */
  close(): void {
    for (const socket of [...this.#open, ...this.#refused]) socket.destroy();
  }

  #refuse(socket: Socket, speaksTls: boolean): void {
    this.#warn("connections are refused: there are as many as there may be", { connections: this.#max });
    if (speaksTls || this.#refused.size >= maxRefusals) return void socket.destroy();
    keepIn(this.#refused, socket);
    const detail =
      `there are ${this.#max} connections, as many as there may be (JOBRUNNER_MAX_CONNECTIONS, ulimit -n): close some, or ` +
      `try again later`;
    endWith(socket, new Problem("too-many-connections", detail, { retryAfterSeconds }));
  }

  /** Not for each: whoever opens connections must not fill the log. */
  #warn(message: string, fields: object): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastWarningMs < warningIntervalMs) return;
    this.#lastWarningMs = nowMs;
    this.#log("warn", message, fields);
  }
}

/**
 * How many file descriptors this process may have: the soft limit, which Node has raised to the hard one at its start (proc_pid_limits(5)).
 */
export function fileLimit(): number {
  const [, number] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
  return number === undefined ? Infinity : Number(number);
}

/**
 * How many readers of output a limit of file descriptors has room for, so that all have theirs when every bound is reached: half of what
 * the service leaves is for connections; a reader has up to two files open besides its connection, and of them there are 7/32; the last
 * sixteenth is for files of workspaces that are being received (Context.descriptors). What looks at folders is few at once (Turns) and
 * holds two of them at a time.
 */
export function readersWithin(limit: number): number {
  return Math.max(minConnections / 2, Math.floor(((limit - descriptorsOfService) * 7) / 32));
}

/** How many files of workspaces, besides those of readers. */
export function filesWithin(limit: number): Bounds {
  const max = Math.max(minConnections, Math.floor((limit - descriptorsOfService) / 16));
  return { max, maxPerIdentity: Math.max(minConnections / 2, Math.floor(max / 4)) };
}

function keepIn(set: Set<Socket>, socket: Socket): void {
  set.add(socket);
  socket.once("close", () => set.delete(socket));
}
