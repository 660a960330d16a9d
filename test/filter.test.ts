import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { type FilteredJob, type JobFilter, matchesFilter } from "../src/job/filter.ts";
import { type FinalState, finalStates } from "../src/job/job.ts";
import { nextAccepted } from "../src/runner/acceptance-order.ts";
import { Store } from "../src/store/store.ts";

type Job = FilteredJob & { seq: number; state: FinalState };

// Few letters, so that texts occur in each other: characters that LIKE treats specially, and two letters whose case LIKE does not ignore.
const text = fc.string({ unit: fc.constantFrom("a", "A", "%", "_", "\\", "=", "é", "É"), maxLength: 2 });
const key = fc.constantFrom("a", "A", "a=", "%");
const jobs = fc.array(
  fc.record({
    name: fc.option(text),
    labels: fc.uniqueArray(fc.tuple(key, text), { maxLength: 3, selector: ([name]) => name }),
    owner: fc.option(fc.constantFrom("one", "other")),
    state: fc.constantFrom(...finalStates),
    elapsedMs: fc.integer({ min: -2, max: 3 }), // since the previous job; negative: the clock was set back
  }),
  { minLength: 1, maxLength: 30 },
);
/** Mostly null, so that filters of several conditions select some jobs. */
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });
const timeMs = rarely(fc.integer({ min: 999_990, max: 1_000_030 }));
const query = fc.record({
  idPrefix: rarely(fc.nat({ max: 40 })),
  states: rarely(fc.uniqueArray(fc.constantFrom(...finalStates))),
  labels: fc.array(fc.record({ key, value: rarely(text) }), { maxLength: 1 }),
  name: rarely(text),
  text: rarely(fc.oneof(text, fc.constantFrom("0000", "-7"))),
  owner: rarely(fc.constantFrom("one", "other")),
  sinceMs: timeMs,
  untilMs: timeMs,
});

test("a filter selects the same jobs in memory and in the database", async () => {
  let selected = 0;
  await fc.assert(
    fc.asyncProperty(jobs, fc.array(query, { minLength: 20, maxLength: 20 }), async (plans, queries) => {
      const store = new Store(":memory:");
      try {
        const recorded = await record(store, plans);
        for (const { idPrefix: prefixLength, states, ...rest } of queries) {
          const some = recorded[(prefixLength ?? 0) % recorded.length]?.id ?? "";
          const filter: JobFilter = { ...rest, idPrefix: prefixLength === null ? null : some.slice(0, prefixLength) };
          const inMemory = recorded.filter((job) => (states === null || states.includes(job.state)) && matchesFilter(job, filter));
          const found = states?.length === 0 ? [] : allOf(store, { ...filter, states });
          assert.deepEqual(found, inMemory.map(({ seq }) => seq).toReversed());
          selected += found.length;
        }
      } finally {
        store.close();
      }
    }),
    { numRuns: 100 },
  );
  assert.ok(selected > 500, `${selected} jobs were selected`);
});

async function record(store: Store, plans: typeof jobs extends fc.Arbitrary<infer Plans> ? Plans : never): Promise<Job[]> {
  let last: ReturnType<typeof nextAccepted> | null = null;
  const recorded: Job[] = [];
  const writes: Promise<void>[] = [];
  for (const { name, labels: pairs, owner, state, elapsedMs } of plans) {
    last = nextAccepted(last, (last?.submittedAtMs ?? 1_000_000) + elapsedMs);
    const labels: Record<string, string> = Object.fromEntries(pairs);
    const nothing = { executorReference: null, idempotency: null, submittedBy: "test", secretsJson: null, accountJson: null };
    writes.push(store.insert({ ...last, ...nothing, state: "Starting", name, labels, owner, specJson: "{}" }));
    writes.push(store.finish(last.seq, { state, viewJson: "{}" }));
    recorded.push({ ...last, name, labels, owner, state });
  }
  await Promise.all(writes);
  return recorded;
}

/** All pages of the database, newest first, a few rows at a time. */
function allOf(store: Store, filter: Parameters<Store["finishedJobs"]>[0]): number[] {
  const finished = store.finishedJobs(filter);
  const found: number[] = [];
  for (let below = Number.MAX_SAFE_INTEGER; below > 0;) {
    const lowest = finished.reach(below, 7);
    found.push(...finished.within({ lowest, below }, { jobs: 1000, characters: Infinity }).map(({ seq }) => seq));
    below = lowest;
  }
  return found;
}
