import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { isFinal, type WholeJobView } from "../../job/job.ts";
import type { JobSpec } from "../../job/spec.ts";
import { withoutEnvironment } from "../../job/secrets.ts";
import { actorOf, identityOf, nameOf, scopeOf } from "../access.ts";
import { fingerprint, readSpec } from "../body.ts";
import type { Context, Routes } from "../context.ts";
import { idOf, isJobId, knownId, unknownJob } from "../ids.ts";
import { invalid, Problem, type ProblemCode } from "../problems.ts";
import { makeQuery } from "../query.ts";

const noQuery = makeQuery(Type.Object({}, { additionalProperties: false }));
const killQuery = makeQuery(Type.Object({ force: Type.Optional(Type.Boolean()) }, { additionalProperties: false }));
const waitQuery = makeQuery(Type.Object({ timeout: Type.Optional(Type.Number({ minimum: 0, maximum: 2_000_000 })) }, { additionalProperties: false }));

/** The original's calls, and a single job. */
export const jobRoutes: Routes = (app, context) => {
  const { runner } = context;

  app.get("/", see, async (request) => {
    noQuery(request.query);
    return { IDs: runner.activeIds(scopeOf(identityOf(request))) };
  });

  app.post("/", run, async (request, reply) => {
    noQuery(request.query);
    const id = await submit(context, request);
    return reply.header("Location", `/${id}`).send({ ID: id });
  });

  app.get("/:id", see, async (request) => {
    noQuery(request.query);
    const job = runner.get(knownId(runner, request.params));
    if (job === null) throw unknownJob();
    return shownTo(request, job);
  });

  app.delete("/:id", run, async (request) => {
    const { force = false } = killQuery(request.query);
    const id = idOf(request.params);
    if (isJobId(id)) {
      if (!runner.isOver(id)) context.audit.write(actorOf(request), { Event: "kill", Job: id, Force: force });
      await runner.kill(id, { force });
    } else if (!/^[\w-]{1,64}$/.test(id)) throw invalid([{ field: "ID", message: "is not an ID: it comes from POST / or GET /jobs" }]);
    return {};
  });

  app.get("/:id/wait", see, async (request, reply) => {
    const { timeout } = waitQuery(request.query);
    return shownTo(request, await whenOver(context, request, { response: reply.raw, timeoutSeconds: timeout ?? null }));
  });
};

const see = { config: { access: "see" } } as const;
const run = { config: { access: "run" } } as const;

/** Who only watches does not learn what is in the environment. */
function shownTo(request: FastifyRequest, job: WholeJobView): object {
  return identityOf(request).role === "read" ? { ...job, Spec: withoutEnvironment(job.Spec) } : job;
}

async function submit({ runner, audit }: Context, request: FastifyRequest): Promise<string> {
  const spec = readSpec(request.body);
  const key = idempotencyKey(request);
  const identity = identityOf(request);
  const submitter = { name: nameOf(identity), owner: identity.owner };
  const result = await runner.submit({ spec, submitter, idempotency: key === null ? null : { key, fingerprint: fingerprint(spec) } });
  switch (result.kind) {
    case "accepted":
      audit.write(actorOf(request), { Event: "submit", Job: result.id, ...(spec.User === undefined ? {} : { User: spec.User }) });
      return result.id;
    case "user-refused":
      throw new Problem("user-refused", `User ${result.problem}`, { errors: [{ field: "User", message: result.problem }] });
    case "conflict":
      throw new Problem("key-used-before", "this Idempotency-Key came with another body before: use a new key for a new job");
    case "no-engine":
      throw withoutEngine("no-container-engine", spec, result.problem);
    case "silent-engine":
      throw withoutEngine("silent-container-engine", spec, `the engine does not answer: ${result.problem}`);
    case "disk-full":
      throw new Problem("disk-full", "the state directory's disk has less room than JOBRUNNER_MIN_FREE_BYTES: remove old jobs with DELETE /jobs/ID, or make room");
  }
}

function idempotencyKey({ headers }: FastifyRequest): string | null {
  const key = headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalid([{ field: "Idempotency-Key", message: "must be 1 to 255 visible ASCII characters" }]);
}

type Waiting = { response: ServerResponse; timeoutSeconds: number | null };

/** Whoever waits counts as a reader: it may last as long as the job. */
async function whenOver({ runner, readers, identifier }: Context, request: FastifyRequest, { response, timeoutSeconds }: Waiting): Promise<WholeJobView> {
  const id = knownId(runner, request.params);
  const identity = identityOf(request);
  readers.add({ response, job: id, isStillLetIn: () => identifier.isStillLetIn(identity) });
  const gone = new AbortController();
  const timer = timeoutSeconds === null ? null : setTimeout(() => gone.abort(), timeoutSeconds * 1000);
  const leave = (): void => gone.abort();
  request.raw.socket.once("close", leave);
  try {
    const job = await runner.whenOver(id, gone.signal);
    if (job === null) throw unknownJob();
    if (isFinal(job.State)) return job;
    throw new Problem("not-over-in-time", `the job is ${job.State}: ask again, or attach to it`);
  } finally {
    if (timer !== null) clearTimeout(timer);
    request.raw.socket.off("close", leave);
  }
}

/** Of the first command that needs one. */
function withoutEngine(code: ProblemCode, { Commands = [] }: JobSpec, message: string): Problem {
  const field = `Commands[${Commands.findIndex(({ Image }) => Image !== undefined)}].Image`;
  return new Problem(code, `${field} needs a container engine: ${message}`, { errors: [{ field, message: `needs a container engine: ${message}` }] });
}
