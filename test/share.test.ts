import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Reader } from "./helper/http.ts";
import { Neighbour } from "./helper/neighbour.ts";
import { startService } from "./helper/service.ts";
import { bearer, createToken } from "./helper/tokens.ts";

/** What one identity can take: never all, and others are served beside it as if it were not there. */

test("one token has so many readers, of whatever kind, and leaves the others' to them", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS: "40", JOBRUNNER_MAX_READERS_PER_IDENTITY: "30" } });
  const [greedy, other] = [bearer(await createToken(service, "greedy", "submit")), bearer(await createToken(service, "other", "submit"))];
  const id = await service.submit({ CommandLine: "echo out; sleep 1000" }, greedy);
  const neighbour = await Neighbour.moveIn(t, service);
  const readers: Reader[] = [];
  const paths = [`/${id}/attach`, "/events"];
  for (let count = 0; count < 20; count += 1) readers.push(await service.open("GET", paths[count % 2] ?? "", greedy)); // half of 40: a lower bound than 30
  for (const path of [...paths, `/${id}/wait`]) {
    const refused = await service.call("GET", path, { headers: greedy });
    assert.equal(refused.status, 503);
    assert.match(refused.text, /20 readers of token:greedy are being served, .*JOBRUNNER_MAX_READERS_PER_IDENTITY/);
  }
  for (let count = 0; count < 10; count += 1) readers.push(await service.open("GET", "/events", other));
  assert.deepEqual(new Set(readers.map(({ status }) => status)), new Set([200]));
  await neighbour.wasNotDisturbed();
  for (const reader of readers) reader.close();
});
