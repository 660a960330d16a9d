import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { repository } from "./service.ts";

/** Small C programs that do what a shell cannot, compiled into a folder in which every user may run them. */
export function compileProgram(...source: string[]): { file: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  const file = join(folder, basename(source.at(-1) ?? "", ".c"));
  execFileSync(process.env["CC"] ?? "cc", ["-O1", "-pthread", "-o", file, join(repository, ...source)]);
  chmodSync(folder, 0o755);
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}
