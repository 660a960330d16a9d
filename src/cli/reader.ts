import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";

/** Ctrl-C also ends the reader, at the same moment. The signal must be handled first. */
const signalMs = 50;

/**
 * Calls back as soon as nobody reads standard output any more, if that is a pipe or a socket. Node.js notices only when it writes, and no
 * file of /proc shows it, so `program` (the supervisor's) asks the kernel. Gives the function that ends the watch. If watching is
 * impossible, a later write fails.
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
    child.stdin.destroy(); // this ends it
  };
}
