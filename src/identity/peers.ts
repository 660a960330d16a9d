import { readFileSync } from "node:fs";
import { isIPv4, isIPv6, type Socket } from "node:net";
import { endianness } from "node:os";
import { ownUser } from "./own-user.ts";

/**
 * Whose process is at the other end of a connection.
 *
 * Over loopback both ends are sockets of this box, and the kernel lists them with their owners in /proc/net/tcp and tcp6 (proc(5)): the fields of a line
 * are number, local and remote address, state, queues, timer, retransmits, uid, timeout, inode.
 */

/** Connections that came in over the unix socket, which its mode keeps for this user and root. The listener adds them. */
export const unixConnections = new WeakSet<Socket>();

type Ends = Record<"localAddress" | "remoteAddress", string> & Record<"localPort" | "remotePort", number>;
type Lookup = { ends: Ends; resolve: (uid: number | null) => void; looks: number };

/** The kernel gives the tables piece by piece, while others come and go: a line may be missed, or be there twice. */
const maxLooks = 5;

export class LocalPeers {
  readonly #known = new WeakMap<Socket, Promise<number | null>>();
  #waiting: Lookup[] = [];

  /** The user id of the process that made the connection; null: it is not of this box, or not known for sure. Looked up once per connection. */
  uidOf(socket: Socket): Promise<number | null> {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const ends = loopbackEnds(socket);
    const uid = ends === null ? Promise.resolve(null) : this.#lookUp(ends);
    this.#known.set(socket, uid);
    return uid;
  }

  /** Many that come at once share a reading of the tables, which are long where there are many connections. */
  #lookUp(ends: Ends): Promise<number | null> {
    return new Promise((resolve) => {
      this.#wait({ ends, resolve, looks: 0 });
    });
  }

  #wait(lookup: Lookup): void {
    if (this.#waiting.push(lookup) === 1) setImmediate(() => this.#answer());
  }

  #answer(): void {
    const lookups = this.#waiting;
    this.#waiting = [];
    const tables = { tcp: readTable("/proc/net/tcp"), tcp6: readTable("/proc/net/tcp6") };
    for (const lookup of lookups) {
      const uid = findOwner(tables, lookup.ends);
      lookup.looks += 1;
      if (uid === null && lookup.looks < maxLooks) this.#wait(lookup);
      else lookup.resolve(uid);
    }
  }
}

/** Null where an end is not loopback, or the connection is gone already. */
function loopbackEnds({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined) return null;
  const [local, remote] = [withoutMapping(localAddress), withoutMapping(remoteAddress)];
  if (!isLoopback(local) || !isLoopback(remote)) return null;
  return { localAddress: local, localPort, remoteAddress: remote, remotePort };
}

type Tables = { tcp: string; tcp6: string };

/** Both directions must be there, ours with our own user: else the pair is not the one that we hold. */
function findOwner(tables: Tables, { localAddress, localPort, remoteAddress, remotePort }: Ends): number | null {
  const here = { address: localAddress, port: localPort };
  const there = { address: remoteAddress, port: remotePort };
  if (uidOfEnd(tables, here, there) !== ownUser.uid) return null;
  return uidOfEnd(tables, there, here);
}

type End = { address: string; port: number };

function uidOfEnd(tables: Tables, from: End, to: End): number | null {
  const lines = isIPv4(from.address)
    ? [...linesOf(tables.tcp, hex4(from), hex4(to)), ...linesOf(tables.tcp6, mapped(from), mapped(to))]
    : linesOf(tables.tcp6, hex6(from), hex6(to));
  const owners = new Set(lines.map(ownerIn));
  const [owner] = owners;
  return owners.size === 1 && owner !== undefined ? owner : null;
}

/** A socket that its process has closed has no inode any more, and the kernel calls it root's. */
function ownerIn(line: string): number | null {
  const [uid, , inode] = line.trim().split(/\s+/).slice(7);
  return inode === undefined || inode === "0" ? null : Number(uid);
}

function linesOf(table: string, from: string, to: string): string[] {
  const found: string[] = [];
  const pair = ` ${from} ${to} `;
  for (let at = table.indexOf(pair); at >= 0; at = table.indexOf(pair, at + 1)) {
    found.push(table.slice(table.lastIndexOf("\n", at) + 1, table.indexOf("\n", at)));
  }
  return found;
}

function readTable(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // no IPv6, or no /proc: then nobody is known
  }
}

function hex4({ address, port }: End): string {
  return `${words(address.split(".").map(Number))}:${hex(port, 4)}`;
}

function mapped(end: End): string {
  return `${"0".repeat(16)}${words([0, 0, 0xff, 0xff])}${hex4(end)}`;
}

/** Only loopback's own address comes here. */
function hex6({ port }: End): string {
  return `${"0".repeat(24)}${words([0, 0, 0, 1])}:${hex(port, 4)}`;
}

/** The kernel prints a word of four bytes as the number that it is to this machine. */
function words(bytes: number[]): string {
  const ordered = endianness() === "LE" ? bytes.toReversed() : bytes;
  return ordered.map((byte) => hex(byte, 2)).join("");
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}

function withoutMapping(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

function isLoopback(address: string): boolean {
  return isIPv4(address) ? address.startsWith("127.") : isIPv6(address) && address === "::1";
}
