import { strict as assert } from "node:assert";
import { join } from "node:path";
import { test } from "node:test";
import { Client, type JobEvent } from "../src/client/index.ts";
import type { JobView } from "../src/job/job.ts";
import { openDatabase } from "../src/store/open.ts";
import type { Reader } from "./helper/http.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken, type Headers } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

/** GET /events for clients that reconnect: they get the events that they missed, or a report that some are missing. */

type Told = { id: string | null; event: string; data: string };

test("a client that reconnects with the last ID gets every change since then, once and in order", async (t) => {
  const service = await startService(t);
  const watching = await service.open("GET", "/events");
  await watching.until("\n\n");
  const first = await readUntil(service, hasBegun);
  assert.deepEqual(
    first.map(({ event, id }) => [event, id !== null]),
    [["", true]],
  );
  await changesOf(service, 5);
  const middle = await comeBack(service, first, hasEnds(5));
  await changesOf(service, 5);
  const last = await comeBack(service, middle, hasEnds(5));
  const [all, resumed] = [blocksOf(watching), [...middle, ...last]].map((blocks) => blocks.filter(({ event }) => event !== ""));
  assert.ok(all !== undefined && all.length >= 20);
  assert.deepEqual(resumed, all);
  watching.close();
});

test("after restarts of the service, changed jobs are sent with their latest state after an event `missing`", async (t) => {
  const service = await startService(t);
  const before = await service.submit({ CommandLine: "true" });
  const during = await service.submit({ CommandLine: "until [ -e go ]; do sleep 0.01; done; exit 2" });
  const running = await service.submit({ CommandLine: "sleep 1000" });
  await service.wait(before);
  await waitFor(
    "both run",
    async () => (await service.get(during)).State === "Running" && (await service.get(running)).State === "Running",
  );
  const heard = await readUntil(service, hasBegun);
  await service.crash();
  await service.start();
  const after = await service.submit({ CommandLine: `touch ${service.workspaceOf(during)}/go; exit 3` });
  await Promise.all([service.wait(during), service.wait(after)]);
  await service.crash(); // and once more, without listeners
  await service.start();
  const told = await comeBack(service, heard, hasCaughtUp);
  assert.deepEqual(
    told.map(({ event }) => event),
    ["", "missing", "job", "job", "job", ""],
  );
  assert.equal(JSON.parse(told[1]?.data ?? "").IsWhole, true);
  const states = jobsIn(told).map(({ ID, State, ExitCode }) => [ID, `${State} ${ExitCode}`] as const);
  assert.deepEqual(
    new Map(states),
    new Map([
      [running, "Running null"],
      [during, "Failed 2"],
      [after, "Failed 3"],
    ]),
  );
  assert.deepEqual(
    told.map(({ id }) => id !== null),
    [false, false, false, false, false, true],
    "who breaks off before the end hears it all again",
  );
  assert.deepEqual(
    (await comeBack(service, told, hasBegun)).map(({ event }) => event),
    [""],
    "nothing is missing any more",
  );
});

test("an unknown or very old ID is answered by an event that says what is missing", async (t) => {
  const service = await startService(t);
  await service.run({ CommandLine: "true" });
  const heard = await readUntil(service, hasBegun);
  const running = await service.submit({ CommandLine: "sleep 1000" });
  await service.stop();
  const database = openDatabase(join(service.stateDir, "jobrunner.db"));
  database.exec("DELETE FROM ends; INSERT INTO ends (number, seq) VALUES (20000, 1)");
  database.close();
  await service.start();
  for (const id of ["nonsense", "7", "0123456789ab-5-30000", lastId(heard)]) {
    const told = await readUntil(service, hasCaughtUp, { "Last-Event-ID": id });
    assert.deepEqual(
      told.map(({ event }) => event),
      ["", "missing", "job", ""],
      id,
    );
    assert.equal(JSON.parse(told[1]?.data ?? "").IsWhole, false);
    assert.equal(jobsIn(told)[0]?.ID, running);
  }
});

test("a submit token that reconnects gets the events of its own jobs only, in order and after a restart", async (t) => {
  const service = await startService(t);
  const [mine, theirs] = [bearer(await createToken(service, "mine", "submit")), bearer(await createToken(service, "theirs", "submit"))];
  const heard = await readUntil(service, hasBegun, mine);
  const own = await service.submit({ CommandLine: "true" }, mine);
  for (const headers of [theirs, {}]) await service.wait(await service.submit({ CommandLine: "true" }, headers));
  await service.submit({ CommandLine: "sleep 1000" }, theirs);
  await service.wait(own);
  const live = await readUntil(service, hasEnds(1), { ...mine, "Last-Event-ID": lastId(heard) });
  await service.crash();
  await service.start();
  const later = await readUntil(service, hasCaughtUp, { ...mine, "Last-Event-ID": lastId(heard) });
  assert.deepEqual(
    jobsIn(live).map(({ ID }) => ID),
    jobsIn(live).map(() => own),
  );
  assert.deepEqual(
    jobsIn(later).map(({ ID, State }) => `${ID} ${State}`),
    [`${own} Succeeded`],
  );
});

test("the client resumes at its position, also in a second call, and reports missing events", async (t) => {
  const service = await startService(t);
  const position = { id: null };
  const client = new Client({ url: service.url });
  const until = async (id: string): Promise<JobEvent[]> => {
    const events: JobEvent[] = [];
    for await (const event of client.events({ position })) {
      events.push(event);
      if (event.kind === "job" && event.job.ID === id && event.job.State === "Succeeded") break;
    }
    return events;
  };
  const listening = client.events({ position });
  await listening.next();
  await Promise.race([listening.next(), waitFor("it knows where it is", () => position.id !== null)]);
  await service.run({ CommandLine: "true" });
  const { job: second } = await service.run({ CommandLine: "true" });
  const heard = await until(second.ID);
  assert.deepEqual(
    heard.filter(({ kind }) => kind !== "job").map(({ kind }) => kind),
    ["open"],
  );
  await service.crash();
  await service.start();
  const { job: third } = await service.run({ CommandLine: "true" });
  const later = await until(third.ID);
  assert.deepEqual(
    later.filter(({ kind }) => kind !== "job"),
    [{ kind: "open" }, { kind: "missing", isWhole: true }],
  );
  await listening.return(undefined);
});

async function changesOf(service: Service, jobs: number): Promise<void> {
  for (let count = 0; count < jobs; count += 1) await service.run({ CommandLine: "true" });
}

/** The events that a reader gets, until there are enough. */
async function readUntil(service: Service, isEnough: (blocks: Told[]) => boolean, headers: Headers = {}): Promise<Told[]> {
  const reader = await service.open("GET", "/events", headers);
  await waitFor("enough is told", () => isEnough(blocksOf(reader)));
  reader.close();
  return blocksOf(reader);
}

/** The events that a reader with the last of these IDs gets at once. */
async function comeBack(service: Service, before: Told[], isEnough: (blocks: Told[]) => boolean): Promise<Told[]> {
  return await readUntil(service, isEnough, { "Last-Event-ID": lastId(before) });
}

function lastId(blocks: Told[]): string {
  return blocks.findLast(({ id }) => id !== null)?.id ?? "";
}

const hasBegun = (blocks: Told[]): boolean => blocks.length > 0;
const hasCaughtUp = (blocks: Told[]): boolean => blocks.length > 1 && blocks.at(-1)?.event === "";
const hasEnds =
  (count: number) =>
  (blocks: Told[]): boolean =>
    jobsIn(blocks).filter(({ State }) => State === "Succeeded").length >= count;

function jobsIn(blocks: Told[]): JobView[] {
  return blocks.filter(({ event }) => event === "job").map(({ data }): JobView => JSON.parse(data));
}

function blocksOf(reader: Reader): Told[] {
  const field = (block: string, name: string): string | null => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
  const blocks = reader
    .received()
    .toString()
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => block !== ":");
  return blocks.map((block) => ({ id: field(block, "id"), event: field(block, "event") ?? "", data: field(block, "data") ?? "" }));
}
