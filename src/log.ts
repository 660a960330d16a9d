import { constants, openSync, writeSync } from "node:fs";
import { pino } from "pino";
import type { LogLevel } from "./config.ts";
import type { Log } from "./runner/log.ts";
import { sourceStack } from "./stacks.ts";

/**
 * The service's log, on standard error: lines of JSON, or readable text on a terminal. The field `job` is the ID of the job that a line is
 * about, `err` an error. The log never holds bodies, command lines, variables or output of jobs. Writing never waits for a slow reader.
 */
export async function makeLog(lowest: LogLevel): Promise<Log> {
  const { isTTY } = process.stderr;
  const format = isTTY ? await readableFormat() : (line: string) => line;
  const take = countLost(isTTY ? terminal() : writeToStream, (lines) => {
    logger.warn({ lines }, "log lines were dropped since the start: the reader of the log is too slow");
  });
  const write = isTTY ? (line: string) => take(line, 1) : gather(take);
  const logger = pino(
    {
      level: lowest,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => (error instanceof Error ? withoutDetails(error) : String(error)) },
    },
    { write: (line: string) => write(format(line)) },
  );
  return (level, message, fields) => logger[level](fields ?? {}, message);
}

/**
 * Properties that libraries add to errors can hold a job's data (a program's arguments), and so can all lines of the message but the first.
 */
function withoutDetails(error: Error): object {
  const { type, message, stack } = pino.stdSerializers.err(error); // includes the causes
  return {
    type,
    message: message.split("\n", 1)[0],
    stack: sourceStack(
      stack
        .split("\n")
        .filter((line) => line.startsWith("    at "))
        .join("\n"),
    ),
  };
}

async function readableFormat(): Promise<(line: string) => string> {
  const { default: pretty } = await import("pino-pretty");
  return pretty.prettyFactory({
    messageKey: "message",
    colorize: process.stderr.hasColors(),
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "",
    singleLine: true,
  });
}

/** Whether the text was accepted. */
type Take = (text: string) => boolean;

const maxWaitingBytes = 1 << 20;

/** A file accepts everything. For a pipe and for systemd's socket Node buffers the rest without limit, so the limit is here. */
function writeToStream(text: string): boolean {
  if (process.stderr.writableLength > maxWaitingBytes) return false;
  process.stderr.write(text);
  return true;
}

/**
 * Node would block on a terminal that is stopped (Ctrl-S) or whose connection is asleep. A descriptor of our own can be non-blocking
 * without changing the terminal for the programs that share it.
 */
function terminal(): Take {
  try {
    const fd = openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return (text) => writeToDescriptor(fd, text);
  } catch {
    return writeToStream; // it belongs to another user, as after su
  }
}

function writeToDescriptor(fd: number, text: string): boolean {
  try {
    writeSync(fd, text);
    return true;
  } catch {
    return false; // full, or gone
  }
}

const reportIntervalMs = 1000;

const maxBatchLines = 256;

/** Writes the lines of one turn of the event loop at once (256 at most), and the remaining ones when the process ends. */
function gather(take: (text: string, lines: number) => void): (line: string) => void {
  let waiting: string[] = [];
  const flush = (): void => {
    const lines = waiting;
    waiting = [];
    if (lines.length > 0) take(lines.join(""), lines.length);
  };
  process.on("exit", flush).on("uncaughtExceptionMonitor", flush);
  return (line) => {
    const count = waiting.push(line);
    if (count === 1) setImmediate(flush);
    else if (count === maxBatchLines) flush();
  };
}

/** When lines are accepted again, reports how many have been lost since the start. */
function countLost(take: Take, report: (lines: number) => void): (text: string, lines: number) => void {
  let [lost, reported, reportedMs] = [0, 0, -Infinity];
  return (text, lines) => {
    if (!take(text)) {
      lost += lines;
    } else if (lost > reported && performance.now() - reportedMs > reportIntervalMs) {
      [reported, reportedMs] = [lost, performance.now()];
      report(lost);
    }
  };
}
