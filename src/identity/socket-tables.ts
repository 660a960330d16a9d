import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { endianness } from "node:os";
import { ownUser } from "./own-user.ts";
import type { Ends } from "./peers.ts";

type Lookup = { ends: Ends; resolve: (uid: number | null) => void; looks: number };

/** The kernel gives the tables piece by piece, while others come and go: a line may be missed, or be there twice. */
const maxLooks = 5;

/**
 * Sockets with their owners, as /proc/net/tcp and tcp6 list them (proc(5)): the fields of a line are number, local and remote address, state,
 * queues, timer, retransmits, uid, timeout, inode. Many lookups share a reading.
 */
export class SocketTables {
  #waiting: Lookup[] = [];
  #isReading = false;

  /** Null: it is not there, or not known for sure. */
  uidOf(ends: Ends): Promise<number | null> {
    return new Promise((resolve) => {
      this.#waiting.push({ ends, resolve, looks: 0 });
      if (!this.#isReading) void this.#answerAll();
    });
  }

  async #answerAll(): Promise<void> {
    this.#isReading = true;
    while (this.#waiting.length > 0) {
      const lookups = this.#waiting;
      this.#waiting = [];
      // Read after the connections were made: those that come meanwhile wait for the next reading.
      const owners = ownersIn(`${await readTable("/proc/net/tcp")}${await readTable("/proc/net/tcp6")}`, new Set(lookups.flatMap(({ ends }) => keysOf(ends))));
      for (const lookup of lookups) this.#answer(lookup, owners);
    }
    this.#isReading = false;
  }

  #answer(lookup: Lookup, owners: Map<string, Set<number | null>>): void {
    const [ours = "", oursMapped = "", theirs = "", theirsMapped = ""] = keysOf(lookup.ends);
    // Both directions must be there, ours with our own user: else the pair is not the one that we hold.
    const own = single(owners.get(ours) ?? owners.get(oursMapped));
    const uid = own === ownUser.uid ? single(owners.get(theirs) ?? owners.get(theirsMapped)) : null;
    lookup.looks += 1;
    if (uid === null && lookup.looks < maxLooks) this.#waiting.push(lookup);
    else lookup.resolve(uid);
  }
}

function single(owners: Set<number | null> | undefined): number | null {
  const [owner] = owners ?? [];
  return owners?.size === 1 && owner !== undefined ? owner : null;
}

/** Of the wanted pairs of addresses alone. */
function ownersIn(tables: string, wanted: Set<string>): Map<string, Set<number | null>> {
  const owners = new Map<string, Set<number | null>>();
  for (const line of tables.split("\n")) {
    const start = line.indexOf(": ") + 2;
    const pair = line.slice(start, line.indexOf(" ", line.indexOf(" ", start) + 1));
    if (wanted.has(pair)) owners.set(pair, (owners.get(pair) ?? new Set()).add(ownerIn(line)));
  }
  return owners;
}

/** A socket that its process has closed has no inode any more, and the kernel calls it root's. */
function ownerIn(line: string): number | null {
  const [uid, , inode] = line.trim().split(/\s+/).slice(7);
  return inode === undefined || inode === "0" ? null : Number(uid);
}

async function readTable(path: string): Promise<string> {
  return await readFile(path, "latin1").catch(() => ""); // no IPv6, or no /proc: then nobody is known
}

/** The pair of addresses from our end and from the other, each by itself and as a socket of IPv6 has it. */
function keysOf({ localAddress, localPort, remoteAddress, remotePort }: Ends): string[] {
  const here = (form: Form): string => `${form(localAddress)}:${hex(localPort, 4)}`;
  const there = (form: Form): string => `${form(remoteAddress)}:${hex(remotePort, 4)}`;
  const forms: Form[] = isIPv4(localAddress) ? [hex4, mapped] : [loopback6, loopback6];
  return [...forms.map((form) => `${here(form)} ${there(form)}`), ...forms.map((form) => `${there(form)} ${here(form)}`)];
}

type Form = (address: string) => string;

function hex4(address: string): string {
  return words(address.split(".").map(Number));
}

function mapped(address: string): string {
  return `${"0".repeat(16)}${words([0, 0, 0xff, 0xff])}${hex4(address)}`;
}

/** Of IPv6 only loopback's one address comes here. */
function loopback6(): string {
  return `${"0".repeat(24)}${words([0, 0, 0, 1])}`;
}

/** The kernel prints a word of four bytes as the number that it is to this machine. */
function words(bytes: number[]): string {
  const ordered = endianness() === "LE" ? bytes.toReversed() : bytes;
  return ordered.map((byte) => hex(byte, 2)).join("");
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}
