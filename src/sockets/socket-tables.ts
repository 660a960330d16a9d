import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { endianness } from "node:os";
import type { Ends } from "./ends.ts";

/**
 * A socket in a table. `owner` null: its process has closed it. Such a socket has no inode, and the kernel shows root as its owner.
 */
type Entry = { owner: number | null; unacknowledgedBytes: number };
type Both = { ours: Entry | null; theirs: Entry | null };
type Lookup = { ends: Ends; resolve: (found: Both) => void };

/** The kernel shows the tables piece by piece while sockets come and go, so a reading may miss a line. */
const maxReads = 5;

/**
 * Sockets as listed in /proc/net/tcp and tcp6 (proc(5)). The fields of a line are number, local and remote address, state, bytes to be sent
 * and to be read, timer, retransmits, uid, timeout, inode. Many look-ups share one reading.
 */
export class SocketTables {
  #waiting: Lookup[] = [];
  #isReading = false;

  async ownerOfOther(ends: Ends): Promise<number | null> {
    for (let reads = 0; reads < maxReads; reads += 1) {
      const { ours, theirs } = await this.#find(ends);
      // Both directions must be listed, ours with our own user. Otherwise the pair is not our connection.
      if (ours !== null && ours.owner === process.geteuid?.() && theirs !== null && theirs.owner !== null) return theirs.owner;
    }
    return null;
  }

  async unacknowledgedBytes(ends: Ends): Promise<number | null> {
    return (await this.#find(ends)).ours?.unacknowledgedBytes ?? null;
  }

  #find(ends: Ends): Promise<Both> {
    return new Promise((resolve) => {
      this.#waiting.push({ ends, resolve });
      if (!this.#isReading) void this.#answerAll();
    });
  }

  async #answerAll(): Promise<void> {
    this.#isReading = true;
    while (this.#waiting.length > 0) {
      const lookups = this.#waiting;
      this.#waiting = [];
      // A reading must begin after a connection was made, so look-ups that come meanwhile wait for the next reading.
      const tables = `${await readTable("/proc/net/tcp")}${await readTable("/proc/net/tcp6")}`;
      const found = entriesOf(tables, new Set(lookups.flatMap(({ ends }) => [...keysOf(ends), ...keysOf(turned(ends))])));
      const entryOf = (ends: Ends): Entry | null => keysOf(ends).flatMap((key) => found.get(key) ?? [])[0] ?? null;
      for (const { ends, resolve } of lookups) resolve({ ours: entryOf(ends), theirs: entryOf(turned(ends)) });
    }
    this.#isReading = false;
  }
}

/** The entries of the wanted pairs of addresses. */
function entriesOf(tables: string, wanted: Set<string>): Map<string, Entry> {
  const found = new Map<string, Entry>();
  for (const line of tables.split("\n")) {
    const start = line.indexOf(": ") + 2;
    const pair = line.slice(start, line.indexOf(" ", line.indexOf(" ", start) + 1));
    if (wanted.has(pair)) found.set(pair, readLine(line));
  }
  return found;
}

function readLine(line: string): Entry {
  const [, , , , queues = "", , , uid, , inode] = line.trim().split(/\s+/);
  return { owner: inode === undefined || inode === "0" ? null : Number(uid), unacknowledgedBytes: parseInt(queues, 16) };
}

async function readTable(path: string): Promise<string> {
  return await readFile(path, "latin1").catch(() => ""); // no IPv6, or no /proc
}

function turned({ localAddress, localPort, remoteAddress, remotePort }: Ends): Ends {
  return { localAddress: remoteAddress, localPort: remotePort, remoteAddress: localAddress, remotePort: localPort };
}

/** How the pair is written in a table: IPv4 addresses as such, or as on an IPv6 socket. */
function keysOf({ localAddress, localPort, remoteAddress, remotePort }: Ends): string[] {
  const forms = isIPv4(localAddress) ? [hex4, mapped] : [hex6];
  return forms.map((form) => `${form(localAddress)}:${hex(localPort, 4)} ${form(remoteAddress)}:${hex(remotePort, 4)}`);
}

function hex4(address: string): string {
  return words(address.split(".").map(Number));
}

function mapped(address: string): string {
  return `${"0".repeat(16)}${words([0, 0, 0xff, 0xff])}${hex4(address)}`;
}

/** "::" replaces the missing groups of zeros (RFC 4291, 2.2). */
function hex6(address: string): string {
  const [head = [], tail = []] = (address.split("%", 1)[0] ?? "").split("::").map((part) => (part === "" ? [] : part.split(":")));
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail].map((group) =>
    parseInt(group, 16),
  );
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  return [0, 4, 8, 12].map((at) => words(bytes.slice(at, at + 4))).join("");
}

/** The kernel prints each word of four bytes as a number in this machine's byte order. */
function words(bytes: number[]): string {
  const ordered = endianness() === "LE" ? bytes.toReversed() : bytes;
  return ordered.map((byte) => hex(byte, 2)).join("");
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}
