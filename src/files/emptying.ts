import { spawn } from "node:child_process";
import { type Name, textOf } from "./names.ts";

/**
 * Removes the content of a folder, in a process of the C program (supervisor/formats.h). The process needs two descriptors at any depth.
 * The service spends no thread and no time of its event loop on it, however slow the file system is.
 */

export type Emptied = { removed: number; left: Left | null };

/** The first thing that could not be removed. `path` is relative to the folder. */
export type Left = { path: Name; why: Why; text: string };

/**
 * `mount`: a file system is mounted there. `immutable`: the file has this attribute. `denied`: it belongs to another user. `changed`:
 * somebody else changed it meanwhile.
 */
export type Why = "mount" | "immutable" | "denied" | "changed" | "other";

/** Processes that work on the disk at a time; further removals wait. Clients of the API may use half of them. */
const atOnce = 16;
const waiting: (() => void)[] = [];
let working = 0;

const whys: readonly Why[] = ["mount", "immutable", "denied", "changed", "other"];
const maxReportBytes = 1 << 16; // paths can be longer than people read

/** `fd` is the folder, held (O_PATH) or open. Rejects if the program does not run. */
export async function emptyFolder(program: string, fd: number): Promise<Emptied> {
  const report = await whenFree(() => run(program, fd));
  const [, removed, rest = ""] = /^removed (\d+)\n([^]*)$/.exec(report) ?? [];
  if (removed === undefined) throw new Error("the program that removes folders ended without a result");
  const [, word, text = "", path = ""] = /^left (\S+) (.*)\n([^]*)$/.exec(rest) ?? [];
  if (word === undefined) return { removed: Number(removed), left: null };
  return { removed: Number(removed), left: { path, why: whys.find((why) => why === word) ?? "other", text } };
}

/** A path for people: on one line, and not longer than they read. */
export function shortened(path: Name): string {
  const text = textOf(path);
  return text.length <= 300 ? text : `${text.slice(0, 200)}…${text.slice(-90)}`;
}

async function whenFree<Result>(work: () => Promise<Result>): Promise<Result> {
  if (working >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else working += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift(); // it takes over this one's share
    if (next === undefined) working -= 1;
    else next();
  }
}

function run(program: string, fd: number): Promise<string> {
  return new Promise((resolve, reject) => {
    // Detached, so that a Ctrl-C in the service's terminal reaches only the service.
    const child = spawn(program, ["empty"], { detached: true, env: {}, cwd: "/", stdio: [fd, "pipe", "ignore"] });
    let report = "";
    child.stdout?.setEncoding("latin1").on("data", (text: string) => {
      if (report.length < maxReportBytes) report += text;
    });
    child.once("error", reject);
    child.once("close", () => resolve(report));
  });
}
