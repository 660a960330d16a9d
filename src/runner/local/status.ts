import { readFileSync } from "node:fs";
import type { CutCause, JobFacts, StepFacts, StopCause } from "../../job/facts.ts";
import { codeOf } from "../../lib/error-code.ts";

/** The status file, drawn in supervisor/formats.h: the record that a supervisor keeps of its job. */

/** Bytes of a status file, from an offset in it up to the end of a line. */
export type StatusUpdate = { offset: number; text: string };

/** Longer files are read again each time: thousands of jobs must not keep their records in memory. */
const keptBytes = 4096;

/** A job's status file as far as it is known. It only grows, and lines that rings bring along need not be read. */
export class StatusFile {
  readonly #directory: string;
  #text: string | null = ""; // the known text; null: too long to keep
  #bytes = 0;

  constructor(jobDirectory: string) {
    this.#directory = jobDirectory;
  }

  /** How many bytes of the file are known. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets what is known, so that the file is read again. */
  forget(): void {
    this.#text = "";
    this.#bytes = 0;
  }

  /**
   * The facts in the file. `update` is the part in a ring; if that follows the known text, the file is not read. Null: there is no
   * file, or no complete first line, so nothing of the job was executed yet.
   */
  facts(update: StatusUpdate | null): JobFacts | null {
    const text =
      update !== null && update.offset === this.#text?.length ? this.#text + update.text : readIfThere(`${this.#directory}/status`);
    if (text === null) return null;
    this.#bytes = text.length;
    this.#text = text.length <= keptBytes ? text : null;
    return parseStatus(text);
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** A last line without newline does not count. Lines of an unknown form are skipped. */
function parseStatus(text: string): JobFacts | null {
  const lines = text.split("\n");
  lines.pop();
  const [first, ...rest] = lines;
  const [word, version, bootId, pid, time, ...abilities] = first?.split(" ") ?? [];
  if (word !== "jobrunner-status" || version !== "1" || bootId === undefined || !/^\d+$/.test(time ?? "")) return null;
  const facts: JobFacts = {
    bootId,
    supervisorPid: Number(pid),
    claimedNs: BigInt(time ?? 0),
    takesSignals: abilities.includes("signals"),
    steps: new Map(),
    containers: new Map(),
    stops: [],
    refusals: [],
    waitsFor: null,
    end: null,
  };
  rest.forEach((line, position) => addLine(facts, line.split(" "), position));
  return facts;
}

/** The fields of each line that must be numbers. */
const numericFields = new Map([
  ["start", [0, 1, 2]],
  ["end", [0, 1, 2, 3, 4, 5, 6]],
  ["fail", [0, 1, 3]],
  ["expire", [0, 1]],
  ["cut", [0, 1]],
  ["unread", [0, 1, 2, 3]],
  ["stop", [0]],
  ["wait", [0, 1, 2, 3]],
  ["waited", [0]],
  ["refused", [0]],
  ["done", [0, 1, 2]],
  ["swept", [0]],
]);

function isKnown(word: string, fields: string[]): boolean {
  return numericFields.get(word)?.every((index) => /^\d+$/.test(fields[index] ?? "")) ?? false;
}

function addLine(facts: JobFacts, [word = "", ...fields]: string[], position: number): void {
  if (!isKnown(word, fields)) return;
  const number = (index: number): number => Number(fields[index] ?? NaN);
  const time = (index: number): bigint => BigInt(fields[index] ?? 0);
  switch (word) {
    case "start":
      step(facts, number(0)).started = { position, timeNs: time(2) };
      break;
    case "end":
      step(facts, number(0)).ended = {
        position,
        timeNs: time(1),
        waitStatus: number(2),
        userMicroseconds: number(3),
        systemMicroseconds: number(4),
        peakRssKiB: number(5),
        outputBytes: number(6),
      };
      break;
    case "fail":
      step(facts, number(0)).failed = { timeNs: time(1), stage: fields[2] ?? "", errno: number(3), attempt: null };
      break;
    case "expire":
      step(facts, number(0)).expired = { position };
      break;
    case "cut":
      step(facts, number(0)).cut = cutCause(fields[2]);
      break;
    case "unread":
      step(facts, number(0)).unread.push({ stream: number(2) === 2 ? "stderr" : "stdout", errno: number(3) });
      break;
    case "stop":
      facts.stops.push({ position, timeNs: time(0), cause: stopCause(fields[1]) });
      break;
    case "wait": {
      const program = Buffer.from(fields.slice(5).join(" "), "latin1").toString();
      facts.waitsFor = { pid: number(1), program, uid: number(2), user: String(number(2)), errno: number(3), state: fields[4] ?? "" };
      break;
    }
    case "waited":
      facts.waitsFor = null;
      break;
    case "refused":
      facts.refusals.push(fields.slice(1).join(" "));
      break;
    case "done":
      facts.end = { kind: "done", timeNs: time(0), outputBytes: number(1), lostBytes: number(2) };
      break;
    case "swept":
      facts.end ??= { kind: "swept", timeNs: time(0) }; // a supervisor's own end says more
      break;
  }
}

function stopCause(word: string | undefined): StopCause {
  return word === "kill" || word === "timeout" || word === "idle" ? word : "terminate";
}

function cutCause(word: string | undefined): CutCause {
  return word === "kill" || word === "timeout" || word === "terminate" ? word : "drain";
}

function step(facts: JobFacts, number: number): StepFacts {
  const known = facts.steps.get(number);
  if (known !== undefined) return known;
  const fresh: StepFacts = { started: null, expired: null, ended: null, failed: null, unread: [], cut: null };
  facts.steps.set(number, fresh);
  return fresh;
}
