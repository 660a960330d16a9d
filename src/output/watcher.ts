import { closeSync, constants, type FSWatcher, openSync, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { SharedFiles } from "./shared-file.ts";
import { codeOf } from "../lib/error-code.ts";

const pollMs = 50;

/**
 * Wakes readers when a file of a job grows. A file with readers has one inotify watch, and a file without readers has none. A wake is a
 * hint that something may have changed: a reader checks by itself, and subscribes before its first check.
 */
export class OutputWatchers {
  /** The open files and the cached bytes that readers share. */
  readonly files = new SharedFiles();
  readonly #watched = new Map<string, WatchedFile>();

  /** Calls `wake` whenever the file may have grown, until the returned function is called. The file need not exist yet. */
  subscribe(path: string, wake: () => void): () => void {
    const file = this.#watched.get(path) ?? new WatchedFile(path);
    this.#watched.set(path, file);
    file.wakes.add(wake);
    return () => {
      if (!file.wakes.delete(wake) || file.wakes.size > 0) return;
      file.close();
      if (this.#watched.get(path) === file) this.#watched.delete(path);
    };
  }

  /** Wakes the readers of the job's output and index. Call after every change of the job's state. */
  wake(outputPath: string): void {
    if (this.#watched.size === 0) return;
    this.#watched.get(outputPath)?.stateChanged();
    this.#watched.get(join(dirname(outputPath), "index"))?.stateChanged();
  }

  /** How many files are watched. */
  get size(): number {
    return this.#watched.size;
  }

  close(): void {
    for (const file of this.#watched.values()) file.close();
    this.#watched.clear();
  }
}

/** What reports changes: nothing yet (the job's directory does not exist), the file's watch, or a timer. */
type Watch = { kind: "none" } | { kind: "file"; watcher: FSWatcher } | { kind: "timer"; timer: NodeJS.Timeout; bytes: number };

class WatchedFile {
  readonly wakes = new Set<() => void>();
  readonly #path: string;
  #watch: Watch = { kind: "none" };
  #isClosed = false;

  constructor(path: string) {
    this.#path = path;
    this.#establish();
  }

  stateChanged(): void {
    this.#establish();
    this.#wakeAll();
  }

  close(): void {
    this.#isClosed = true;
    this.#use({ kind: "none" });
  }

  #establish(): void {
    if (this.#isClosed || this.#watch.kind !== "none") return;
    const watcher = this.#tryWatch();
    if (watcher !== null) this.#use({ kind: "file", watcher });
  }

  /**
   * Null: the job has no directory yet, or a timer is used, because the kernel has no watch left (limits in inotify(7)) or no file can be
   * created. A missing file is created, empty, and the supervisor will use it. So a reader that comes before the first byte waits
   * only once, for the bytes.
   */
  #tryWatch(): FSWatcher | null {
    try {
      closeSync(openSync(this.#path, constants.O_RDONLY | constants.O_CREAT, 0o600));
      return watch(this.#path, () => this.#wakeAll()).on("error", () => this.#startPolling());
    } catch (error) {
      if (!isMissing(error)) this.#startPolling();
      return null;
    }
  }

  #startPolling(): void {
    if (this.#isClosed || this.#watch.kind === "timer") return;
    const timer = setInterval(() => this.#poll(), pollMs);
    this.#use({ kind: "timer", timer, bytes: -1 });
  }

  #poll(): void {
    const bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? -1;
    if (this.#watch.kind !== "timer" || this.#watch.bytes === bytes) return;
    this.#watch.bytes = bytes;
    this.#wakeAll();
  }

  #use(watch: Watch): void {
    const old = this.#watch;
    this.#watch = watch;
    if (old.kind === "timer") clearInterval(old.timer);
    else if (old.kind === "file") old.watcher.close();
  }

  #wakeAll(): void {
    for (const wake of this.wakes) wake();
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}
