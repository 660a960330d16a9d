import { type ChildProcess, spawn } from "node:child_process";
import { findProgram } from "../runner/containers/finder.ts";
import { baseEnvironment } from "../runner/plan.ts";
import { type Box, type Finding, ok, problem } from "./box.ts";
import { distribution } from "./distribution.ts";

/** The programs that the service starts. */

const timeoutMs = 5000;
const maxOutput = 10_000; // characters

export function node(): Finding[] {
  return [ok(`Node.js ${process.version}, ${process.execPath}`)];
}

export async function supervisor({ version, supervisor: program }: Box): Promise<Finding[]> {
  const rebuild = "run make in the checkout, or install jobrunner anew";
  if ("problem" in program) return [problem(program.problem, rebuild)];
  const { exitCode, output, why } = await run(program.path, ["--version"]);
  const [said = ""] = output.split("\n");
  if (exitCode !== 0) return [problem(`${program.path} does not run: ${why}`, rebuild)];
  if (said !== `jobrunner-supervisor ${version}`) return [problem(`${program.path} is ${said}, the service ${version}`, rebuild)];
  return [ok(`${program.path} runs`)];
}

export async function shell({ settings }: Box): Promise<Finding[]> {
  const path = findProgram(settings.shell, baseEnvironment.PATH);
  if (path === null) {
    const remedy =
      settings.shell === "bash"
        ? `${distribution().install} bash, or set JOBRUNNER_SHELL=/bin/sh`
        : "set JOBRUNNER_SHELL to a program that is";
    return [problem(`${settings.shell} is not on this box, or not in the PATH of jobs, ${baseEnvironment.PATH}`, remedy)];
  }
  const { exitCode, why } = await run(path, ["-c", "exit 7"]);
  if (exitCode !== 7)
    return [problem(`${path} does not run a command line that it gets with -c: ${why}`, "set JOBRUNNER_SHELL to a shell")];
  const version = await run(path, ["--version"]); // sh has none, mostly
  const [line = ""] = version.exitCode === 0 ? version.output.split("\n") : [];
  return [ok([path, line].filter((part) => part !== "").join(", "))];
}

/** `why`: how it ended, for people. `exitCode` null: it could not be started, or not to its end in time. */
type Ran = { exitCode: number | null; output: string; why: string };

function run(path: string, args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    let output = "";
    // No standard input: bash takes one that is a socket, as Node's are, for a login from afar, and reads its user's files.
    const child: ChildProcess = spawn(path, args, {
      env: baseEnvironment,
      cwd: "/",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    child.once("error", ({ message }) => resolve({ exitCode: null, output, why: message }));
    child.once("close", (exitCode, signal) =>
      resolve({ exitCode, output, why: exitCode === null ? `it was ended by ${signal}` : `exit code ${exitCode}` }),
    );
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output = (output + chunk).slice(0, maxOutput)));
  });
}
