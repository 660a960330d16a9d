import { spawn } from "node:child_process";
import { type Name, textOf } from "./names.ts";

/**
 * Removes what is in a folder, by a run of the C program (supervisor/formats.h): it goes down and up by descriptors, two of them however
 * deep, and keeps no thread and no turn of the event loop of ours, whatever a file system takes for it.
 */

export type Emptied = { removed: number; left: Left | null };

/** What was met first of what could not be removed; `path` is from the folder down. */
export type Left = { path: Name; why: Why; text: string };

/**
 * `mount`: something is mounted there. `immutable`: by its attribute. `denied`: it is another user's. `changed`: meanwhile, by somebody
 * else.
 */
export type Why = "mount" | "immutable" | "denied" | "changed" | "other";

/** Each is a process that works on the disk; more wait. The API gives half of them to its callers. */
const atOnce = 16;
const waiting: (() => void)[] = [];
let working = 0;

const whys: readonly Why[] = ["mount", "immutable", "denied", "changed", "other"];
const maxSaidBytes = 1 << 16; // paths can be longer than any person reads

/** `fd`: of the folder, held (O_PATH) or open. Rejects where the program does not run. */
export async function emptyFolder(program: string, fd: number): Promise<Emptied> {
  const said = await whenFree(() => run(program, fd));
  const [, removed, rest = ""] = /^removed (\d+)\n([^]*)$/.exec(said) ?? [];
  if (removed === undefined) throw new Error("the program that removes folders ended without a word");
  const [, word, text = "", path = ""] = /^left (\S+) (.*)\n([^]*)$/.exec(rest) ?? [];
  if (word === undefined) return { removed: Number(removed), left: null };
  return { removed: Number(removed), left: { path, why: whys.find((why) => why === word) ?? "other", text } };
}

/** A path as people are told it, on one line and not longer than they read. */
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
    const next = waiting.shift(); // takes over the place
    if (next === undefined) working -= 1;
    else next();
  }
}

function run(program: string, fd: number): Promise<string> {
  return new Promise((resolve, reject) => {
    // Detached: a Ctrl-C in the service's terminal is for the service.
    const child = spawn(program, ["empty"], { detached: true, env: {}, cwd: "/", stdio: [fd, "pipe", "ignore"] });
    let said = "";
    child.stdout?.setEncoding("latin1").on("data", (text: string) => {
      if (said.length < maxSaidBytes) said += text;
    });
    child.once("error", reject);
    child.once("close", () => resolve(said));
  });
}
