import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Command } from "../src/job/spec.ts";
import { engineTest } from "./helper/engines.ts";
import { type Service, startService } from "./helper/service.ts";

/** `"Output": "merged"`: standard output and error of a step are one pipe. */

const runs = 20;
const numbers = Array.from({ length: 400 }, (_, index) => index + 1);
const alternating = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); if [ $((i%2)) = 0 ]; then echo $i; else echo $i >&2; fi; done";
const inOrder = `${numbers.join("\n")}\n`;

async function assertOrder(service: Service, command: Partial<Command>): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    const { job, output } = await service.run({ Output: "merged", Commands: [{ CommandLine: alternating, ...command }] });
    assert.equal(job.State, "Succeeded", JSON.stringify(job));
    assert.equal(output.toString(), inOrder, `run ${run}`);
  }
}

test("400 lines that alternate between both streams come in the order of the writes, each of 20 times", async (t) => {
  await assertOrder(await startService(t), {});
});

engineTest("and so they do in a container", async (t, engine) => {
  const service = await startService(t, { environment: engine.environment });
  await assertOrder(service, { Image: "busybox" });
});

test("a step's Output wins over the job's, and all of merged output is of the stream stdout", async (t) => {
  const service = await startService(t);
  const both = "echo out; echo err >&2";
  const { job, output } = await service.run({
    Output: "merged",
    Commands: [{ CommandLine: both }, { CommandLine: both, Output: "separate" }],
  });
  assert.equal(output.length, 16);
  const of = async (query: string): Promise<string> => (await service.output(job.ID, query)).toString();
  assert.equal(await of("?stream=stdout&step=1"), "out\nerr\n");
  assert.equal(await of("?stream=stderr&step=1"), "");
  assert.equal(await of("?stream=stdout&step=2"), "out\n");
  assert.equal(await of("?stream=stderr&step=2"), "err\n");
  assert.deepEqual(
    job.Steps.map(({ OutputBytes }) => OutputBytes),
    [8, 8],
  );
});

test("without a word a step has two streams, and of Output only the two words are accepted", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "echo out; echo err >&2" });
  assert.equal((await service.output(job.ID, "?stream=stderr")).toString(), "err\n");
  const wrong = await service.call("POST", "/", { body: JSON.stringify({ CommandLine: "true", Output: "both" }) });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /"field":"Output"/);
});

test("secrets are masked in merged output, also one that is written half by each stream", async (t) => {
  const service = await startService(t);
  const { output } = await service.run({
    Output: "merged",
    Secrets: { KEY: "first-second" },
    CommandLine: 'echo "a $KEY b" >&2; printf %s "first-"; printf "%s\\n" "second" >&2; echo end',
  });
  assert.equal(output.toString(), "a *** b\n***\nend\n");
});
