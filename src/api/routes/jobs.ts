import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { isFinal, type WholeJobView } from "../../job/job.ts";
import { withoutEnvironment } from "../../job/secrets.ts";
import { JobSpec } from "../../job/spec.ts";
import { WholeJob } from "../../job/whole-job.ts";
import { nameOf, scopeOf } from "../../identity/identity.ts";
import { actorOf, identityOf } from "../access.ts";
import { fingerprint } from "../body.ts";
import type { Context, Routes } from "../context.ts";
import { idOf, isJobId, knownId, unknownJob } from "../ids.ts";
import { done, jobOperation, json, noQuery, operation } from "../operation.ts";
import { invalid, Problem, type ProblemCode } from "../problems.ts";

/** The original's calls, and a single job. */
export const jobRoutes: Routes = (app, context) => {
  const { runner } = context;

  app.get("/", { ...see, schema: getRunning }, async (request) => {
    return { IDs: runner.activeIds(scopeOf(identityOf(request))) };
  });

  app.post("/", { ...run, schema: submitJob }, async (request, reply) => {
    const id = await submit(context, request, request.body);
    return reply.header("Location", `/${id}`).send({ ID: id });
  });

  app.get("/:id", { ...see, schema: getJob }, async (request) => {
    const job = runner.get(knownId(runner, request.params));
    if (job === null) throw unknownJob();
    return shownTo(request, job);
  });

  app.delete("/:id", { ...run, schema: killJob }, async (request) => {
    const { force = false } = request.query;
    const id = idOf(request.params);
    if (isJobId(id)) {
      if (!runner.isFinished(id)) context.audit.write(actorOf(request), { Event: "kill", Job: id, Force: force });
      await whileWanted(request, { work: (signal) => runner.kill(id, { force, signal }) });
    } else if (!/^[\w-]{1,64}$/.test(id)) throw invalid([{ field: "ID", message: "is not an ID: it comes from POST / or GET /jobs" }]);
    return {};
  });

  app.get("/:id/wait", { ...see, schema: waitForJob }, async (request, reply) => {
    const { timeout = null } = request.query;
    return shownTo(request, await whenFinished(context, request, { response: reply.raw, timeoutSeconds: timeout }));
  });
};

const see = { config: { access: "see" } } as const;
const run = { config: { access: "run" } } as const;

const getRunning = operation({
  id: "getRunning",
  tag: "jobs",
  summary: "The jobs that run now",
  query: noQuery,
  answers: { 200: json("Starting, Running or Stopping, oldest first", Type.Object({ IDs: Type.Array(Type.String()) })) },
});

const submitJob = {
  ...operation({
    id: "submitJob",
    tag: "jobs",
    summary: "Submits a job",
    description: "Answers when the job is on disk. From then on it exists until it is deleted, whatever happens to the service.",
    query: noQuery,
    headers: Type.Object({
      "Idempotency-Key": Type.Optional(
        Type.String({
          description: "the same key with the same body gives the same job again, with another body 422; 1 to 255 visible ASCII characters",
        }),
      ),
    }),
    answers: {
      200: {
        ...json("It was accepted", Type.Object({ ID: Type.String() })),
        headers: { Location: { type: "string", description: "/ID" } },
      },
    },
    problems: [
      "invalid-json",
      "body-too-large",
      "key-used-before",
      "user-refused",
      "no-container-engine",
      "silent-container-engine",
      "disk-full",
    ],
  }),
  body: JobSpec,
};

const getJob = jobOperation({
  id: "getJob",
  tag: "jobs",
  summary: "All about a job",
  query: noQuery,
  answers: { 200: json("The job", WholeJob) },
});

const killJob = jobOperation({
  id: "killJob",
  tag: "jobs",
  summary: "Kills a job",
  description: `Sends StopSignal to every process of it, after StopTimeoutSeconds SIGKILL to what is left. No further step runs but those with RunOn always.
Answers when nothing of it is left. 200 also where there is no such job or it is finished; 404 only for who sees its own jobs alone.`,
  query: Type.Object(
    { force: Type.Optional(Type.Boolean({ description: "SIGKILL at once, and no further step at all" })) },
    { additionalProperties: false },
  ),
  answers: { 200: json("Nothing of it is left", done) },
});

const waitForJob = jobOperation({
  id: "waitForJob",
  tag: "jobs",
  summary: "Waits until a job is finished",
  query: Type.Object(
    {
      timeout: Type.Optional(
        Type.Number({ minimum: 0, maximum: 2_000_000, description: "seconds, then 408; without it, as long as it takes" }),
      ),
    },
    { additionalProperties: false },
  ),
  answers: { 200: json("It is finished", WholeJob) },
  problems: ["not-finished-in-time", "too-many-readers"],
});

/** Who only watches does not learn what is in the environment. */
function shownTo(request: FastifyRequest, job: WholeJobView): object {
  return identityOf(request).role === "read" ? { ...job, Spec: withoutEnvironment(job.Spec) } : job;
}

async function submit({ runner, audit }: Context, request: FastifyRequest, spec: JobSpec): Promise<string> {
  const key = idempotencyKey(request);
  const identity = identityOf(request);
  const submitter = { name: nameOf(identity), owner: identity.owner };
  const result = await runner.submit({ spec, submitter, idempotency: key === null ? null : { key, fingerprint: fingerprint(spec) } });
  switch (result.kind) {
    case "accepted":
      audit.writeSoon(actorOf(request), { Event: "submit", Job: result.id, ...(spec.User === undefined ? {} : { User: spec.User }) });
      return result.id;
    case "user-refused":
      throw new Problem("user-refused", `User ${result.problem}`, { errors: [{ field: "User", message: result.problem }] });
    case "too-large":
      throw invalid([result.problem]);
    case "conflict":
      throw new Problem("key-used-before", "this Idempotency-Key came with another body before: use a new key for a new job");
    case "no-engine":
      throw withoutEngine("no-container-engine", spec, result.problem);
    case "silent-engine":
      throw withoutEngine("silent-container-engine", spec, `the engine does not answer: ${result.problem}`);
    case "disk-full":
      throw new Problem(
        "disk-full",
        "the state directory's disk has less room than JOBRUNNER_MIN_FREE_BYTES: remove old jobs with DELETE /jobs/ID, or make room",
      );
  }
}

function idempotencyKey({ headers }: FastifyRequest): string | null {
  const key = headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalid([{ field: "Idempotency-Key", message: "must be 1 to 255 visible ASCII characters" }]);
}

type Waiting = { response: ServerResponse; timeoutSeconds: number | null };
type Wanted<Result> = { timeoutSeconds?: number | null; work: (signal: AbortSignal) => Promise<Result> };

/** Whoever waits counts as a reader: it may last as long as the job. Whoever only asks, with a time of 0, does not. */
async function whenFinished(
  { runner, readers }: Context,
  request: FastifyRequest,
  { response, timeoutSeconds }: Waiting,
): Promise<WholeJobView> {
  const id = knownId(runner, request.params);
  const identity = identityOf(request);
  if (timeoutSeconds !== 0) readers.add({ response, job: id, identity });
  const job = await whileWanted(request, { timeoutSeconds, work: (signal) => runner.whenFinished(id, signal) });
  if (job === null) throw unknownJob();
  if (isFinal(job.State)) return job;
  throw new Problem("not-finished-in-time", `the job is ${job.State}: ask again, or attach to it`);
}

/** Runs what may wait for as long as a job lasts; the signal aborts when the client is gone, or the time is up. */
async function whileWanted<Result>({ raw: { socket } }: FastifyRequest, { timeoutSeconds = null, work }: Wanted<Result>): Promise<Result> {
  const unwanted = new AbortController();
  const leave = (): void => unwanted.abort();
  const timer = timeoutSeconds === null ? null : setTimeout(leave, timeoutSeconds * 1000);
  if (socket.destroyed) leave();
  socket.once("close", leave);
  try {
    return await work(unwanted.signal);
  } finally {
    if (timer !== null) clearTimeout(timer);
    socket.off("close", leave);
  }
}

/** Of the first command that needs one. */
function withoutEngine(code: ProblemCode, { Commands = [] }: JobSpec, message: string): Problem {
  const field = `Commands[${Commands.findIndex(({ Image }) => Image !== undefined)}].Image`;
  return new Problem(code, `${field} needs a container engine: ${message}`, {
    errors: [{ field, message: `needs a container engine: ${message}` }],
  });
}
