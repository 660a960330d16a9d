import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { program } from "./harness.ts";

test("the owner of the other end, and what it has not acknowledged, are answered in order; anything else is unknown", async () => {
  const server = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = connect(address.port, "127.0.0.1");
  await once(client, "connect");
  const pair = `owner 127.0.0.1 ${address.port} 127.0.0.1 ${client.localPort}`;
  const wrong = [
    "",
    "x",
    "owner",
    "owner 127.0.0.1 80 ::1 90",
    "queue 127.0.0.1 99999 127.0.0.1 1",
    "owner 1.2.3 4 5.6.7.8 9",
    "a".repeat(254),
    `queue ${"9".repeat(60)} 1 1 1`,
    "owner ::1 1 ::1 2",
    `owner 127.0.0.1 ${address.port} 127.0.0.1 0`,
    "other 127.0.0.1 1 127.0.0.1 2",
  ];
  const child = spawn(program, ["sockets"], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end([pair, ...wrong, pair.replace("owner", "queue"), ""].join("\n"));
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = await once(child, "close");
  client.destroy();
  server.close();
  assert.equal(code, 0);
  const own = `${process.geteuid?.()}\n`;
  assert.equal(Buffer.concat(chunks).toString(), `${own}${"-\n".repeat(wrong.length)}0\n`);
});
