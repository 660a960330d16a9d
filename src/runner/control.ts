import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** The control FIFO (supervisor/formats.h): the liveness test and the way to tell a supervisor something. */

export type Liveness = "alive" | "dead" | "unclaimed";

/** Only meaningful of a job directory whose status file exists. */
export function liveness(directory: string): Liveness {
  return withControl(directory, () => undefined);
}

export function sendControl(directory: string, message: "terminate" | "kill"): Liveness {
  return withControl(directory, (fd) => writeSync(fd, `${message}\n`));
}

function withControl(directory: string, use: (fd: number) => void): Liveness {
  try {
    const fd = openSync(join(directory, "control"), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      use(fd);
    } finally {
      closeSync(fd);
    }
    return "alive";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENXIO" || code === "EPIPE") return "dead";
    if (code === "ENOENT") return "unclaimed";
    if (code === "EAGAIN") return "alive"; // full of messages that it has still to read
    throw error;
  }
}
