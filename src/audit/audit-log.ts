import { closeSync, existsSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * Who did what, from where: `<state>/audit.log`, lines of JSON, 0600, append only, in the order in which they were given. Of what was done
 * it has names and ids; never bodies, variables, tokens or output. When the file would grow over `maxBytes` it becomes audit.log.1, that .2
 * and so on; of `files` the oldest is removed.
 *
 *     {"Time":"…","Event":"submit","By":"token:ci","Role":"submit","From":"192.0.2.7","Job":"…"}
 */
export type AuditEvent =
  | { Event: "submit"; Job: string; User?: string }
  | { Event: "kill"; Job: string; Force: boolean }
  | Change
  | { Event: "token create"; Token: string; Name: string; TokenRole: string; ExpiresAt: string | null }
  | { Event: "token revoke"; Token: string; Name: string }
  | { Event: "refused"; Code: string; Method: string; Path: string; Reason: string }
  | { Event: "start" | "stop" };

/** `Failed`: of one that failed when it may have changed something, the problem's code; and how much of a folder was removed. */
export type Change = (
  | { Event: "delete"; Job: string }
  | { Event: "file written" | "folder made" | "file removed"; Job: string; Path: string }
) & { Failed?: string; RemovedCount?: number };

/** By whom: `kind:name` of an identity, null where none is known. From: an address, "unix", or "command line". */
export type Actor = { By: string | null; Role: string | null; From: string };

export type AuditOptions = { stateDir: string; maxBytes: number; files: number };

export class AuditLog {
  readonly #options: AuditOptions;
  readonly #path: string;
  readonly #onTrouble: (error: unknown) => void;
  #fd: number | null = null;
  #waiting: string[] = [];

  constructor(options: AuditOptions, onTrouble: (error: unknown) => void) {
    this.#options = options;
    this.#path = join(options.stateDir, "audit.log");
    this.#onTrouble = onTrouble;
  }

  /** In the kernel when it returns. A disk that takes no line stops nobody's work: it is told, and goes on. */
  write(actor: Actor, event: AuditEvent): void {
    this.#waiting.push(lineOf(actor, event));
    this.flush();
  }

  /** For what is done so often that its lines are written together, a turn of the event loop later, and for what nothing is to wait. */
  writeSoon(actor: Actor, event: AuditEvent): void {
    if (this.#waiting.push(lineOf(actor, event)) === 1) setImmediate(() => this.flush());
  }

  /** Writes what waits. To be called before the process ends. */
  flush(): void {
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      this.#append(lines);
    } catch (error) {
      this.close();
      this.#onTrouble(error);
    }
  }

  /** Until the next line. */
  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #append(lines: string[]): void {
    let text = "";
    let bytes = lines.length === 0 ? 0 : this.#size(); // the command line adds lines too
    for (const line of lines) {
      const lineBytes = Buffer.byteLength(line);
      if (bytes > 0 && bytes + lineBytes > this.#options.maxBytes) {
        writeWhole(this.#open(), text);
        this.#rotate();
        [text, bytes] = ["", this.#size()];
      }
      text += line;
      bytes += lineBytes;
    }
    if (text !== "") writeWhole(this.#open(), text);
  }

  #size(): number {
    return fstatSync(this.#open()).size;
  }

  #open(): number {
    return (this.#fd ??= openSync(this.#path, "a", 0o600));
  }

  #rotate(): void {
    this.close();
    const name = (number: number): string => (number === 0 ? this.#path : `${this.#path}.${number}`);
    const last = this.#options.files - 1;
    rmSync(name(last), { force: true });
    for (let number = last - 1; number >= 0; number -= 1) if (existsSync(name(number))) renameSync(name(number), name(number + 1));
  }
}

/** A disk that becomes full takes a part, and says so at the next write. */
function writeWhole(fd: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(fd, rest));
}

function lineOf(actor: Actor, { Event, ...details }: AuditEvent): string {
  return `${JSON.stringify({ Time: new Date().toISOString(), Event, ...actor, ...details })}\n`;
}
