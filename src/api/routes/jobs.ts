import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { findContradiction } from "../../job/contradiction.ts";
import { pattern } from "../../job/sentences.ts";
import { JobSpec } from "../../job/spec.ts";
import { WholeJob } from "../../job/whole-job.ts";
import { invalid } from "../../operations/refusal.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { done, jobOperation, json, noQuery, operation } from "../operation.ts";
import { refine } from "../refine.ts";

/** The original's calls, and a single job. */
export const jobRoutes: Routes = (app, { operations, readers }) => {
  app.get("/", { config: { operation: "listRunning" }, schema: getRunning }, async (request) => {
    return { IDs: operations.listRunning(callerOf(request)) };
  });

  app.post("/", { config: { operation: "submit", body: "buffered" }, schema: submitJob }, async (request, reply) => {
    const { "idempotency-key": key = null } = request.headers;
    const id = await operations.submit(callerOf(request), request.body, key);
    return reply.header("Location", `/${id}`).send({ ID: id });
  });

  app.get("/:id", { config: { operation: "get" }, schema: getJob }, async (request) => {
    return operations.get(callerOf(request), request.params.id);
  });

  app.delete("/:id", { config: { operation: "kill" }, schema: killJob }, async (request) => {
    const { force = false } = request.query;
    const { id } = request.params;
    const caller = callerOf(request);
    const work = (signal: AbortSignal): Promise<void> => operations.kill(caller, id, { force, signal });
    await whileWanted(request, { work });
    return {};
  });

  app.get("/:id/wait", { config: { operation: "wait" }, schema: waitForJob }, async (request, reply) => {
    const { timeout: timeoutSeconds = null } = request.query;
    const { id } = request.params;
    const caller = callerOf(request);
    // A client that waits counts as a reader, because it may wait as long as the job runs. One that only asks, with a time of 0, does not.
    const onFound = (): void => {
      if (timeoutSeconds !== 0) readers.add({ response: reply.raw, job: id, identity: caller.identity });
    };
    return await whileWanted(request, { timeoutSeconds, work: (signal) => operations.wait(caller, id, { signal, onFound }) });
  });
};

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
  headers: Type.Object({
    "idempotency-key": Type.Optional(
      Type.String({
        ...pattern("^[\\x21-\\x7e]{1,255}$", "must be 1 to 255 visible ASCII characters"),
        description: "the same key with the same body gives the same job again, with another body 422; 1 to 255 visible ASCII characters",
      }),
    ),
  }),
  body: refine(JobSpec, (spec) => {
    const contradiction = findContradiction(spec);
    return contradiction === null ? null : invalid([contradiction]);
  }),
};

const getJob = jobOperation({
  id: "getJob",
  tag: "jobs",
  summary: "All about a job",
  query: noQuery,
  answers: { 200: json("The job", WholeJob) },
});

const killJob = {
  ...jobOperation({
    id: "killJob",
    tag: "jobs",
    summary: "Kills a job",
    description:
      `Sends StopSignal to every process of it, after StopTimeoutSeconds SIGKILL to what is left. No further step runs but ` +
      `those with RunOn always.
Answers when nothing of it is left. 200 also where there is no such job or it is finished; 404 only for who sees its own jobs alone.`,
    query: Type.Object(
      { force: Type.Optional(Type.Boolean({ description: "SIGKILL at once, and no further step at all" })) },
      { additionalProperties: false },
    ),
    answers: { 200: json("Nothing of it is left", done) },
  }),
  /** 200 also for a job that does not exist, so what could be an ID is not refused. */
  params: Type.Object({
    id: Type.String({
      ...pattern("^[\\w-]{1,64}$", "is not an ID: it comes from POST / or GET /jobs"),
      description: "the job's ID",
      examples: ["019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b"],
    }),
  }),
};

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

type Wanted<Result> = { timeoutSeconds?: number | null; work: (signal: AbortSignal) => Promise<Result> };

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
