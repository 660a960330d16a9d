import { closeSync, existsSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * Who did what, and from where: lines of JSON in `<state>/audit.log` (0600, append only), in the order of the calls. A line has names and
 * IDs, but no bodies, variables, tokens or output. Before the file would exceed `maxBytes` it is renamed to audit.log.1, that one to
 * audit.log.2, and so on; the oldest of `files` files is removed.
 *
 *     {"Time":"…","Event":"submit","By":"token:ci","Role":"submit","From":"192.0.2.7","Job":"…"}
 */
export type AuditEvent =
  | { Event: "submit"; Job: string; User?: string }
  | { Event: "kill"; Job: string; Force: boolean }
  | { Event: "signal"; Job: string; Signal: string }
  | Change
  | { Event: "token create"; Token: string; Name: string; TokenRole: string; ExpiresAt: string | null }
  | { Event: "token revoke"; Token: string; Name: string }
  | { Event: "refused"; Code: string; Method: string; Path: string; Reason: string }
  | { Event: "start" | "stop" };

/** `Failed`: the code of the refusal, for a change that failed and may be partly done. `RemovedCount`: how much of a folder was removed. */
export type Change = (
  | { Event: "delete"; Job: string }
  | { Event: "file written" | "folder made" | "file removed"; Job: string; Path: string }
) & { Failed?: string; RemovedCount?: number };

/** `By`: `kind:name` of the identity; null: it is not known. `From`: an address, "unix", or "command line". */
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

  /** The kernel has the line when this returns. A full disk stops no work: it is reported, and work continues. */
  write(actor: Actor, event: AuditEvent): void {
    this.#waiting.push(lineOf(actor, event));
    this.flush();
  }

  /** For frequent events that must not wait: their lines are written together, one turn of the event loop later. */
  writeSoon(actor: Actor, event: AuditEvent): void {
    if (this.#waiting.push(lineOf(actor, event)) === 1) setImmediate(() => this.flush());
  }

  /** Writes the waiting lines. Call it before the process ends. */
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

  /** Closes the file until the next line. */
  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #append(lines: string[]): void {
    let text = "";
    let bytes = lines.length === 0 ? 0 : this.#size(); // the command line appends to the same file
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

/** A disk that becomes full accepts a part of the text, and fails the next write. */
function writeWhole(fd: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(fd, rest));
}

function lineOf(actor: Actor, { Event, ...details }: AuditEvent): string {
  return `${JSON.stringify({ Time: new Date().toISOString(), Event, ...actor, ...details })}\n`;
}
