import { strict as assert } from "node:assert";
import { test } from "node:test";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const [ndjson, events] = [{ Accept: "application/x-ndjson" }, { Accept: "text/event-stream" }];

test("a quiet stream sends heartbeats, of a silent or queued job, or if a filter omits all bytes; raw output sends none", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "2" } });
  const silent = await service.submit({ CommandLine: "echo first; sleep 1000" });
  const unwanted = await service.submit({ CommandLine: "while echo out; do sleep 0.1; done" });
  const queued = await service.submit({ CommandLine: "true" });
  const raw = await service.attach(silent);
  const readers = await Promise.all([
    ...[silent, queued].flatMap((id) => [ndjson, events].map((form) => service.attach(id, "", form))),
    ...[ndjson, events].map((form) => service.attach(unwanted, "?stream=stderr", form)),
    service.open("GET", "/events"),
  ]);
  const beats = readers.map(({ headers }) => (headers["content-type"] === "application/x-ndjson" ? "{}\n" : ":\n\n"));
  await waitFor("all have said so", () =>
    readers.every((reader, index) => `\n${reader.received().toString()}`.includes(`\n${beats[index]}`)),
  );
  assert.equal(raw.received().toString(), "first\n");
  const [lines] = readers;
  assert.deepEqual(
    lines
      ?.received()
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => Object.keys(JSON.parse(line)).length),
    [5, 0],
  );
  await Promise.all([silent, unwanted].map((id) => service.kill(id)));
  await Promise.all(readers.slice(0, 6).map(({ ended }) => ended));
  for (const reader of readers.slice(0, 6)) assert.ok(reader.received().includes('{"Outcome":'));
  for (const reader of [raw, ...readers]) reader.close();
});

test("every stream tells proxies to forward each piece at once, unchanged", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "echo out" });
  const forms = [{}, { Range: "bytes=0-1" }, ndjson, events];
  const readers = await Promise.all([...forms.map((form) => service.attach(job.ID, "", form)), service.open("GET", "/events")]);
  for (const { status, headers } of readers) {
    assert.ok(status === 200 || status === 206);
    assert.deepEqual([headers["x-accel-buffering"], headers["cache-control"]], ["no", "no-store, no-transform"]);
  }
  for (const reader of readers) reader.close();
});
