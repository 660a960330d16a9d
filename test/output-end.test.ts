import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Piece } from "../src/client/index.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** Reading a part of an output, up to a byte. */

test("a part of the output has exactly its bytes, in every format, with and without filters, and no outcome follows", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({
    Commands: [{ CommandLine: "printf 'one\\n'; sleep 0.2; printf 'two\\n' >&2" }, { CommandLine: "printf 'three\\n'" }],
  });
  const get = async (query: string, headers: Record<string, string> = {}): Promise<{ text: string; trailers: object }> =>
    await service.call("GET", `/${job.ID}/attach?${query}`, { headers });
  assert.equal((await get("end=6")).text, "one\ntw");
  assert.equal((await get("offset=1&end=6")).text, "ne\ntw");
  assert.equal((await get("end=1000")).text, "one\ntwo\nthree\n");
  assert.equal((await get("end=0")).text, "");
  assert.deepEqual(Object.keys((await get("end=6")).trailers), []);
  assert.equal((await get("end=6&stream=stderr")).text, "tw");
  assert.equal((await get("offset=7&end=10&step=2")).text, "th");
  assert.match((await get("end=6&timestamps=true")).text, /^\S+Z one\n\S+Z tw$/);
  const lines = (await get("offset=2&end=10", { Accept: "application/x-ndjson" })).text.trim().split("\n");
  assert.deepEqual(
    lines.map((line) => Object.entries(JSON.parse(line)).filter(([name]) => name !== "Time")),
    [
      [
        ["Offset", 2],
        ["Step", 1],
        ["Stream", "stdout"],
        ["Data", "e\n"],
      ],
      [
        ["Offset", 4],
        ["Step", 1],
        ["Stream", "stderr"],
        ["Data", "two\n"],
      ],
      [
        ["Offset", 8],
        ["Step", 2],
        ["Stream", "stdout"],
        ["Data", "th"],
      ],
    ],
  );
  assert.doesNotMatch((await get("end=4", { Accept: "text/event-stream" })).text, /outcome/i);
});

test("a character that the end splits is given as bytes", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "printf 'aé'" });
  const { text } = await service.call("GET", `/${job.ID}/attach?end=2`, { headers: { Accept: "application/x-ndjson" } });
  const [piece] = text
    .trim()
    .split("\n")
    .map((line): { Data: string; Encoding?: string } => JSON.parse(line))
    .slice(-1);
  assert.ok(piece !== undefined);
  assert.deepEqual([...Buffer.from(piece.Data, piece.Encoding === "base64" ? "base64" : "utf8")].at(-1), 0xc3);
});

test("attach waits for an end that a running job has not reached, and then ends", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit({ CommandLine: "printf 12345; until [ -e go ]; do sleep 0.05; done; printf 67890; sleep 1000" });
  const pieces: Piece[] = [];
  const reading = (async () => {
    for await (const piece of service.client().attach(id, { offsetBytes: 2, endBytes: 8 })) pieces.push(piece);
  })();
  await waitFor("the first part is there", () => pieces.length > 0);
  await service.call("PUT", `/${id}/files/go`, { body: "" });
  await reading;
  assert.equal(Buffer.concat(pieces.map((piece) => (piece.kind === "output" ? piece.bytes : Buffer.alloc(0)))).toString(), "345678");
  assert.ok(pieces.every(({ kind }) => kind === "output"));
  assert.equal((await service.call("GET", `/${id}/attach?end=100&follow=false`)).text, "1234567890");
  await service.client().kill(id, { isForced: true });
});

for (const [query, headers, message] of [
  ["offset=5&end=4", {}, "must not be before the offset"],
  ["tail=1&end=4", {}, "cannot be given with tail"],
  ["end=4", { Range: "bytes=0-1" }, "cannot be given with a Range"],
  ["end=x", {}, "must be"],
] as const) {
  test(`an end is refused where it ${message}: ${query}`, async (t) => {
    const service = await sharedService(t);
    const { job } = await service.run({ CommandLine: "echo x" });
    const { status, text } = await service.call("GET", `/${job.ID}/attach?${query}`, { headers: { ...headers } });
    assert.equal(status, 400);
    const { errors }: { errors: { field: string; message: string }[] } = JSON.parse(text);
    assert.equal(errors[0]?.field, "?end");
    assert.ok(errors[0]?.message.startsWith(message), errors[0]?.message);
  });
}
