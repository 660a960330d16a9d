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
  const rebuild = "run make in the checkout, or reinstall jobrunner";
  if ("problem" in program) return [problem(program.problem, rebuild)];
  const { exitCode, output, why } = await run(program.path, ["--version"]);
  const [ownVersion = ""] = output.split("\n");
  if (exitCode !== 0) return [problem(`${program.path} does not run: ${why}`, rebuild)];
  if (ownVersion !== `jobrunner-supervisor ${version}`)
    return [problem(`${program.path} is ${ownVersion}, but the service is ${version}`, rebuild)];
  return [ok(`${program.path} runs`)];
}

export async function shell({ settings }: Box): Promise<Finding[]> {
  const path = findProgram(settings.shell, baseEnvironment.PATH);
  if (path === null) {
    const remedy =
      settings.shell === "bash"
        ? `${distribution().install} bash, or set JOBRUNNER_SHELL=/bin/sh`
        : "set JOBRUNNER_SHELL to the path of a shell";
    return [problem(`${settings.shell} is not installed, or not in the PATH of jobs, ${baseEnvironment.PATH}`, remedy)];
  }
  const { exitCode, why } = await run(path, ["-c", "exit 7"]);
  if (exitCode !== 7) return [problem(`${path} does not run a command line after -c: ${why}`, "set JOBRUNNER_SHELL to a shell")];
  const version = await run(path, ["--version"]); // most versions of sh have no --version
  const [line = ""] = version.exitCode === 0 ? version.output.split("\n") : [];
  return [ok([path, line].filter((part) => part !== "").join(", "))];
}

/** `why`: how it ended, for people. `exitCode` null: it was not started, or ended by a signal or the time limit. */
type Ran = { exitCode: number | null; output: string; why: string };

function run(path: string, args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    let output = "";
    // No standard input: bash takes a socket (Node's pipes are sockets) for a remote login and reads the user's start-up files.
    const child: ChildProcess = spawn(path, args, {
      env: baseEnvironment,
      cwd: "/",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    child.once("error", ({ message }) => resolve({ exitCode: null, output, why: message }));
    child.once("close", (exitCode, signal) =>
      resolve({ exitCode, output, why: exitCode === null ? `killed by ${signal}` : `exit code ${exitCode}` }),
    );
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output = (output + chunk).slice(0, maxOutput)));
  });
}
