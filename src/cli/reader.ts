import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";

/** Ctrl-C ends the reader, too, at the same moment: the signal is to be heard first. */
const signalMs = 50;

/**
 * Calls back as soon as nobody reads any more what standard output leads to, if that is a pipe or a socket. Node.js itself hears of it when
 * it writes, and no file of /proc tells: so `program`, the supervisor's, asks the kernel. Gives what ends the watch. Where it cannot be
 * watched, a write says it.
 */
export function watchReader(program: string, onGone: () => void): () => void {
  const standardOutput = fstatSync(1);
  if (!standardOutput.isFIFO() && !standardOutput.isSocket()) return () => undefined;
  const child = spawn(program, ["reader"], { stdio: ["pipe", "inherit", "ignore"], env: {} });
  let timer: NodeJS.Timeout | null = null;
  child.on("error", () => undefined);
  child.once("exit", (code) => {
    if (code === 0) timer = setTimeout(onGone, signalMs);
  });
  child.unref();
  return () => {
    if (timer !== null) clearTimeout(timer);
    child.stdin.destroy(); // by which it ends
  };
}
