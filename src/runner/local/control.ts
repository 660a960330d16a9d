import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { StopRequest } from "../executor.ts";
import { codeOf } from "../../lib/error-code.ts";

/** The control FIFO (supervisor/formats.h): the test whether a supervisor lives, and the way to send it a message. */

export type Liveness = "alive" | "dead" | "unclaimed";

/** The result is valid only if the job directory has a status file. */
export function liveness(directory: string): Liveness {
  const sent = withControl(directory, () => undefined);
  return sent === "full" ? "alive" : sent;
}

/** Sends a message to a living supervisor. "full": the FIFO holds messages that the supervisor has not read, and this one was not sent. */
export function sendControl(directory: string, message: StopRequest | `signal ${number}`): Liveness | "full" {
  return withControl(directory, (fd) => writeSync(fd, `${message}\n`));
}

function withControl(directory: string, use: (fd: number) => void): Liveness | "full" {
  try {
    const fd = openSync(join(directory, "control"), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      use(fd);
    } finally {
      closeSync(fd);
    }
    return "alive";
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENXIO" || code === "EPIPE") return "dead";
    if (code === "ENOENT") return "unclaimed";
    if (code === "EAGAIN") return "full";
    throw error;
  }
}
