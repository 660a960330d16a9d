import { constants, openSync, writeSync } from "node:fs";
import { pino } from "pino";
import type { LogLevel } from "./config.ts";
import type { Log } from "./runner/log.ts";
import { sourceStack } from "./stacks.ts";

/**
 * The service's log, on standard error: lines of JSON, or for people where that is a terminal. `job` is the ID of the job that a line is about,
 * `err` an error. Never bodies, command lines, variables or output of jobs. Nobody waits for whoever reads it.
 */
export async function makeLog(lowest: LogLevel): Promise<Log> {
  const { isTTY } = process.stderr;
  const format = isTTY ? await formatForPeople() : (line: string) => line;
  const take = countingLost(isTTY ? terminal() : takenByStream, (lines) => {
    logger.warn({ lines }, "lines of the log were left out since the start: they were not read as fast as they came");
  });
  const write = isTTY ? (line: string) => take(line, 1) : gathered(take);
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

/** What libraries hang on errors may be of a job: a program's arguments and, from the second line of the message on, what it said. */
function withoutDetails(error: Error): object {
  const { type, message, stack } = pino.stdSerializers.err(error); // causes are in it
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

async function formatForPeople(): Promise<(line: string) => string> {
  const { default: pretty } = await import("pino-pretty");
  return pretty.prettyFactory({
    messageKey: "message",
    colorize: process.stderr.hasColors(),
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "",
    singleLine: true,
  });
}

/** Whether the text was taken. */
type Take = (text: string) => boolean;

const maxWaitingBytes = 1 << 20;

/** A file takes everything; for a pipe and for systemd's socket Node keeps what does not fit yet, however much that is. */
function takenByStream(text: string): boolean {
  if (process.stderr.writableLength > maxWaitingBytes) return false;
  process.stderr.write(text);
  return true;
}

/**
 * For a terminal that is held (Ctrl-S), or whose connection sleeps, Node would wait. Opened anew it says that it is full, and stays as it is for
 * the programs that share it.
 */
function terminal(): Take {
  try {
    const fd = openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return (text) => takenByDescriptor(fd, text);
  } catch {
    return takenByStream; // another user's, as after su
  }
}

function takenByDescriptor(fd: number, text: string): boolean {
  try {
    writeSync(fd, text);
    return true;
  } catch {
    return false; // full, or gone
  }
}

const sayAgainMs = 1000;

const maxGatheredLines = 256;

/** The lines of one turn of the event loop in one write, where they are not very many, and those of the last one at the process's end. */
function gathered(take: (text: string, lines: number) => void): (line: string) => void {
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
    else if (count === maxGatheredLines) flush();
  };
}

/** Says how many were lost so far when lines are taken again. */
function countingLost(take: Take, say: (lines: number) => void): (text: string, lines: number) => void {
  let [lost, said, saidMs] = [0, 0, -Infinity];
  return (text, lines) => {
    if (!take(text)) {
      lost += lines;
    } else if (lost > said && performance.now() - saidMs > sayAgainMs) {
      [said, saidMs] = [lost, performance.now()];
      say(lost);
    }
  };
}
