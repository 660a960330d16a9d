// Describes the machine. No host names and no paths, because the document is published.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statfsSync, statSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { basename } from "node:path";
import { find, sleep } from "./tools.ts";

export function describeMachine(): [string, string][] {
  const processors = cpus();
  return [
    ["date", new Date().toISOString().slice(0, 10)],
    ["processor", `${processors[0]?.model ?? "unknown"}, ${processors.length} cores`],
    ["memory", `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ["kernel", release()],
    ["file system", fileSystem()],
    ["node", process.version],
    ["bash", version("bash", ["--version"], /version (\S+)/)],
    ["webhook", version("webhook", ["-version"], /version (\S+)/)],
    ["nginx", version("nginx", ["-v"], /nginx\/(\S+)/)],
    ["curl", version("curl", ["--version"], /curl (\S+)/)],
    ["docker", version("docker", ["--version"], /version ([^\s,]+)/)],
    ["podman", version("podman", ["--version"], /version (\S+)/)],
    ["compiler", version("clang", ["--version"], /clang version (\S+)/)],
  ];
}

function version(program: string, args: string[], pattern: RegExp): string {
  const path = find(program);
  if (path === null) return "missing";
  try {
    // nginx prints its version to stderr.
    const text = execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1', path, ...args], { encoding: "utf8" });
    return pattern.exec(text)?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}

function fileSystem(): string {
  const types = new Map([
    [0xef53, "ext4"],
    [0x01021994, "tmpfs"],
    [0x58465342, "xfs"],
    [0x9123683e, "btrfs"],
    [0x794c7630, "overlayfs"],
  ]);
  const { type } = statfsSync(tmpdir());
  const name = types.get(type) ?? `type 0x${type.toString(16)}`;
  return name === "ext4" ? `ext4, ${hasJournal() ? "with" : "without"} a journal` : name;
}

/** ext4 without a journal creates files slowly for minutes after many were removed: the kernel delays the reuse of their inodes. */
function hasJournal(): boolean {
  const { dev } = statSync(tmpdir());
  const device = `${dev >> 8}:${dev & 0xff}`;
  const names = existsSync("/proc/fs/jbd2") ? readdirSync("/proc/fs/jbd2") : [];
  const block = existsSync(`/sys/dev/block/${device}`) ? basename(realpathSync(`/sys/dev/block/${device}`)) : "";
  return names.some((journal) => journal.startsWith(`${block}-`));
}

/** The share of all cores that other programs used while we were idle for a moment. */
export async function busyShare(milliseconds: number): Promise<number> {
  const before = ticks();
  await sleep(milliseconds);
  const after = ticks();
  const total = after.total - before.total;
  return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
}

function ticks(): { idle: number; total: number } {
  const fields = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").trim().split(/\s+/).slice(1).map(Number);
  return { idle: (fields[3] ?? 0) + (fields[4] ?? 0), total: fields.reduce((sum, value) => sum + value, 0) };
}
