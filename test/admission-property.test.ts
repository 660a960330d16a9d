import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { Admission } from "../src/runner/admission.ts";

/** The events that can happen to jobs; a number chooses a job to which the event can happen. */
const event = fc.oneof(
  fc.record({ kind: fc.constant("arrive" as const) }),
  fc.record({ kind: fc.constantFrom("committed", "leave", "next", "restore" as const), choice: fc.nat() }),
);

type Standing = "arriving" | "queued" | "admitted" | "gone";

test("in any order of events, the limit holds, the order is kept, and no job is forgotten or counted twice", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(event, { maxLength: 200 }), (maxRunning, events) => {
      const admission = new Admission<number>({ maxRunning });
      const jobs: Standing[] = []; // by number, in order of arrival: the model
      const numbers = (...wanted: Standing[]): number[] => [...jobs.keys()].filter((job) => wanted.includes(jobs[job] ?? "gone"));
      for (const { kind, ...rest } of events) {
        const choice = "choice" in rest ? rest.choice : 0;
        const pick = (from: number[]): number | undefined => from[choice % Math.max(1, from.length)];
        const running = numbers("admitted").length;
        const waiting = numbers("arriving", "queued");
        if (kind === "arrive") {
          const mayStart = running < maxRunning && waiting.length === 0;
          assert.equal(admission.arrive(jobs.length), mayStart ? "admitted" : "waiting");
          jobs.push(mayStart ? "admitted" : "arriving");
        } else if (kind === "restore" && jobs.length === numbers("queued", "admitted").length) {
          const standing = choice % 2 === 0 ? "queued" : "admitted";
          admission.restore(jobs.length, standing);
          jobs.push(standing);
        } else if (kind === "committed") {
          const job = pick(numbers("arriving"));
          if (job !== undefined) jobs[job] = "queued";
          admission.committed(job ?? -1);
        } else if (kind === "leave") {
          const job = pick(numbers("arriving", "queued", "admitted"));
          if (job !== undefined) jobs[job] = "gone";
          admission.leave(job ?? -1);
        } else if (kind === "next") {
          const first = waiting[0];
          const expected = running < maxRunning && first !== undefined && jobs[first] === "queued" ? first : null;
          assert.equal(admission.next(), expected);
          if (expected !== null) jobs[expected] = "admitted";
        }
        assert.equal(admission.running, numbers("admitted").length);
        assert.equal(admission.queued, numbers("arriving", "queued").length);
        for (const job of jobs.keys()) assert.equal(admission.isQueued(job), ["arriving", "queued"].includes(jobs[job] ?? ""));
      }
      // A waiting job starts as soon as the jobs before it have finished: no place stays unused.
      for (const job of numbers("arriving")) admission.committed(job);
      for (const job of numbers("admitted")) admission.leave(job);
      const order: number[] = [];
      for (let job = admission.next(); job !== null; job = admission.next()) {
        order.push(job);
        admission.leave(job);
      }
      assert.deepEqual(order, numbers("arriving", "queued"));
      assert.deepEqual([admission.running, admission.queued], [0, 0]);
    }),
    { numRuns: 500 },
  );
});
