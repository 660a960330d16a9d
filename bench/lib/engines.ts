// The container engines of this machine, used by their command lines.
import { basename } from "node:path";
import { find, runProgram } from "./tools.ts";
import type { Scope } from "./scope.ts";

export const image = "busybox";

export type Engine = {
  name: string;
  path: string;
  /** The label of containers that a benchmark creates itself. */
  label: string;
};

/** The engine, or why it cannot be used. An engine must be able to run the image. */
export async function usableEngine(scope: Scope, name: string): Promise<Engine | string> {
  const path = find(name);
  if (path === null) return `${name} is not installed`;
  const engine = { name, path, label: `jobrunner-bench=${basename(scope.directory)}` };
  try {
    await runProgram(scope, path, ["run", "--rm", "--network", "none", image, "true"], 60);
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split("\n");
    return `${name} does not run ${image} here: ${lines[0] ?? ""}`;
  }
  // A killed client leaves its container behind.
  scope.defer(() => removeOwn(scope, engine));
  return engine;
}

/** Removes the containers that the benchmark created itself. */
export async function removeOwn(scope: Scope, { path, label }: Engine): Promise<void> {
  const ids = words(await runProgram(scope, path, ["ps", "--all", "--quiet", "--filter", `label=${label}`], 60));
  if (ids.length > 0) await runProgram(scope, path, ["rm", "--force", ...ids], 120);
}

/** The names of all containers, running or not. */
export async function containerNames(scope: Scope, { path }: Engine): Promise<string[]> {
  return words(await runProgram(scope, path, ["ps", "--all", "--format", "{{.Names}}"], 60));
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
