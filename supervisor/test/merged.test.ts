import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Box } from "./harness.ts";

/** Steps whose standard output and error are one pipe. */

let box: Box;
before(() => {
  box = new Box();
});
after(async () => await box.close());

test("both streams of a merged step are one pipe, recorded as standard output; the next step has two", async () => {
  const run = "[ /proc/self/fd/1 -ef /proc/self/fd/2 ] && echo one >&2 || echo two >&2";
  const job = box.run({ steps: [{ run, isMerged: true }, { run }] });
  await job.finished();
  assert.equal(job.text(), "one\ntwo\n");
  assert.deepEqual(
    job.index().map(({ step, stream }) => [step, stream]),
    [
      [1, 1],
      [2, 2],
    ],
  );
});

test("a container's streams are one FIFO by both names, and the folder goes at its end", async () => {
  const run =
    "cd ../streams-1; [ stdout -ef stderr ] && echo one FIFO > stderr; " +
    "for i in 1 2 3; do echo $i > stdout; echo -$i > stderr; done; exit 0";
  const job = box.run({ steps: [{ run, settle: "true", streams: "streams-1", isMerged: true }] });
  await job.finished();
  assert.equal(job.text(), "one FIFO\n1\n-1\n2\n-2\n3\n-3\n");
});
