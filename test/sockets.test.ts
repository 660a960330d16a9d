import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Ends, endsOf } from "../src/sockets/ends.ts";
import { SockDiag } from "../src/sockets/sock-diag.ts";
import { SocketTables } from "../src/sockets/socket-tables.ts";
import { isAlive } from "./helper/processes.ts";
import { repository } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const own = process.geteuid?.();

type Source = { ownerOfOther: (ends: Ends) => Promise<number | null>; unacknowledgedBytes: (ends: Ends) => Promise<number | null> };

/** Both ways to ask the kernel must give the same answers. */
const sources: [string, (t: TestContext) => Source][] = [
  ["sock_diag", askKernel],
  ["/proc/net", () => new SocketTables()],
];

for (const [name, make] of sources) {
  test(`the owner of the other end is known, over IPv4, IPv6 and both (${name})`, async (t) => {
    const source = make(t);
    for (const [listen, target] of [
      ["127.0.0.1", "127.0.0.1"],
      ["127.0.0.1", "127.0.0.1"],
      ["::1", "::1"],
      ["::", "127.0.0.1"],
      ["::", "::1"],
      ["::", "::ffff:127.0.0.1"],
    ] as const) {
      const server = await serverOn(t, listen);
      if (server === null) continue; // this machine has no IPv6
      const { ends } = await connection(t, server, target);
      assert.equal(await source.ownerOfOther(ends), own, `${target} to ${listen}`);
    }
  });

  test(`the owner of a socket that its process has closed is not known, and not root (${name})`, async (t) => {
    const source = make(t);
    const server = await serverOn(t, "127.0.0.1");
    assert.ok(server !== null);
    const { ends, client } = await connection(t, server, "127.0.0.1");
    client.destroy();
    await waitFor("it is closed", async () => (await source.ownerOfOther(ends)) === null);
    assert.equal(await source.ownerOfOther({ ...ends, remotePort: 1 }), null, "nor of one that never was");
  });

  test(`what the other side has not taken is known (${name})`, async (t) => {
    const source = make(t);
    const server = await serverOn(t, "127.0.0.1");
    assert.ok(server !== null);
    const { ends, socket } = await connection(t, server, "127.0.0.1");
    assert.equal(await source.unacknowledgedBytes(ends), 0);
    socket.write(Buffer.alloc(16 << 20)); // more than the kernel holds for a connection without a reader
    await waitFor("the kernel has some", async () => ((await source.unacknowledgedBytes(ends)) ?? 0) > 100_000);
  });

  test(`many are asked for at once, and each gets its own answer (${name})`, async (t) => {
    const source = make(t);
    const server = await serverOn(t, "127.0.0.1");
    assert.ok(server !== null);
    const made = await Promise.all(Array.from({ length: 100 }, () => connection(t, server, "127.0.0.1")));
    const answers = await Promise.all(
      made.map(({ ends }, index) => source.ownerOfOther(index % 3 === 0 ? { ...ends, remotePort: 1 } : ends)),
    );
    assert.deepEqual(
      answers,
      made.map((_, index) => (index % 3 === 0 ? null : own)),
    );
  });
}

/** The connections of each server, as the server lists them. */
const accepted = new Map<Server, Socket[]>();

function askKernel(t: TestContext): Source {
  const diag = new SockDiag(join(repository, "build", "jobrunner-supervisor"));
  t.after(() => diag.close());
  return { ownerOfOther: (ends) => diag.ask("owner", ends), unacknowledgedBytes: (ends) => diag.ask("queue", ends) };
}

async function serverOn(t: TestContext, host: string): Promise<Server | null> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  accepted.set(server, sockets);
  server.listen(0, host);
  const isListening = await Promise.race([once(server, "listening").then(() => true), once(server, "error").then(() => false)]);
  if (!isListening) return null;
  t.after(() => server.close());
  return server;
}

async function connection(t: TestContext, server: Server, host: string): Promise<{ ends: Ends; client: Socket; socket: Socket }> {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = connect(address.port, host);
  await once(client, "connect");
  const port = client.localPort;
  const find = (): Socket | undefined => accepted.get(server)?.find(({ remotePort }) => remotePort === port);
  await waitFor("it is accepted", () => find() !== undefined);
  const socket = find();
  assert.ok(socket !== undefined);
  t.after(() => [client, socket].forEach((end) => end.destroy()));
  const ends = endsOf(socket);
  assert.ok(ends !== null);
  return { ends, client, socket };
}

test("a program that does not answer is killed, and the look-up gets no answer", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-sockets-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "silent");
  writeFileSync(program, '#!/bin/sh\necho $$ > "$0.pid"\nexec sleep 1000\n', { mode: 0o755 });
  const diag = new SockDiag(program, 500);
  t.after(() => diag.close());
  const server = await serverOn(t, "127.0.0.1");
  assert.ok(server !== null);
  const { ends } = await connection(t, server, "127.0.0.1");
  assert.deepEqual(await Promise.all([diag.ask("owner", ends), diag.ask("queue", ends)]), [null, null]);
  const pid = Number(readFileSync(`${program}.pid`, "utf8"));
  await waitFor("it is gone", () => !isAlive(pid));
});
