import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Refusal } from "../src/operations/refusal.ts";
import { Turns } from "../src/operations/turns.ts";

/** Large work, a few pieces at once. */

/** Work that waits for turns, and the order in which it runs. */
class Asking {
  readonly begun: string[] = [];
  readonly #turns: Turns;
  readonly #end = new Map<string, () => void>();

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** `name` is the identity and a number, such as "a1". */
  ask(name: string, isWanted = (): boolean => true): Promise<void> {
    const work = async (): Promise<void> => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#end.set(name, resolve));
    };
    return this.#turns.run(name.slice(0, 1), { isWanted, work });
  }

  async end(name: string): Promise<void> {
    await settled();
    assert.ok(this.#end.has(name), `${name} has begun`);
    this.#end.get(name)?.();
    await settled();
  }
}

/** All that follows from promises alone has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("concurrent work is limited, in total and for each identity, and identities take turns however much one requests", async () => {
  const asking = new Asking(new Turns({ atOnce: 3, perIdentity: 2, waitingPerIdentity: 10 }));
  const all = ["a1", "a2", "a3", "a4", "a5", "b1", "b2", "c1"].map((name) => asking.ask(name));
  await settled();
  assert.deepEqual(asking.begun, ["a1", "a2", "b1"]);
  for (const [name, next] of [
    ["a1", "a3"],
    ["b1", "b2"],
    ["a2", "c1"],
    ["a3", "a4"],
    ["b2", "a5"],
  ] as const) {
    await asking.end(name);
    assert.equal(asking.begun.at(-1), next, `after ${name}`);
  }
  for (const name of ["a4", "a5", "c1"]) await asking.end(name);
  await Promise.all(all);
});

test("work whose client has left takes no turn, and failed work ends its turn", async () => {
  const turns = new Turns({ atOnce: 1, perIdentity: 1, waitingPerIdentity: 10 });
  const asking = new Asking(turns);
  const first = asking.ask("a1");
  void asking.ask("a2", () => false);
  const third = asking.ask("a3");
  await asking.end("a1");
  assert.deepEqual(asking.begun, ["a1", "a3"]);
  await asking.end("a3");
  await Promise.all([first, third]);
  const failing = { isWanted: () => true, work: () => Promise.reject(new Error("disk")) };
  for (let count = 0; count < 3; count += 1) await assert.rejects(turns.run("a", failing), /disk/);
});

test("the waiting work of one identity is limited; others may still wait", async () => {
  const asking = new Asking(new Turns({ atOnce: 1, perIdentity: 1, waitingPerIdentity: 2 }));
  for (const name of ["a1", "a2", "a3", "b1"]) void asking.ask(name);
  await assert.rejects(
    asking.ask("a4"),
    (error) => error instanceof Refusal && error.code === "too-many-at-once" && error.retryAfterSeconds === 1,
  );
  for (const name of ["a1", "a2", "b1", "a3"]) await asking.end(name);
  assert.deepEqual(asking.begun.toSorted(), ["a1", "a2", "a3", "b1"]);
});
