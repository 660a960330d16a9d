// Finds, compiles and runs programs.
import { execFile, execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join, resolve } from "node:path";
import type { Scope } from "./scope.ts";

export const repository = resolve(import.meta.dirname, "..", "..");

/** The path of a program, or null. Debian keeps nginx in sbin, which is not in the PATH of users. */
export function find(program: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/** Compiles bench/<name>.c into the benchmark's directory; null if there is no compiler. */
export function compile(scope: Scope, name: string): string | null {
  const compiler = find("clang") ?? find("cc");
  if (compiler === null) return null;
  const program = join(scope.directory, name);
  execFileSync(compiler, ["-O2", "-Wall", "-Wextra", "-o", program, join(repository, "bench", `${name}.c`)], { stdio: "inherit" });
  return program;
}

/** Runs a program to its end and returns its output. The scope kills it if it still runs. */
export function runProgram(scope: Scope, program: string, args: string[], timeoutSeconds: number): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(program, args, { timeout: timeoutSeconds * 1000, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${program.split("/").pop() ?? ""}: ${stderr.trim() || error.message}`));
    });
    scope.defer(() => {
      child.kill("SIGKILL");
    });
  });
}

export function numbers(text: string): number[] {
  return text.trim().split(/\s+/).map(Number);
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
      .once("error", fail)
      .listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = address !== null && typeof address === "object" ? address.port : 0;
        server.close(() => {
          done(port);
        });
      });
  });
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, ms);
  });
