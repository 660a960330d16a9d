import { Type } from "typebox";
import { pattern } from "../../job/sentences.ts";
import { sentSignals } from "../../job/signals.ts";
import { WholeJob } from "../../job/whole-job.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { done, jobOperation, json, noQuery, operation } from "../operation.ts";
import { whileWanted } from "../wanted.ts";

/** The running jobs, and a single job. */
export const jobRoutes: Routes = (app, { operations, readers }) => {
  app.get("/", { config: { operation: "listRunning" }, schema: getRunning }, async (request) => {
    return { IDs: operations.listRunning(callerOf(request)) };
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

  app.post("/:id/signal", { config: { operation: "signal", body: "buffered" }, schema: signalJob }, async (request) => {
    operations.signal(callerOf(request), request.params.id, request.body.Signal);
    return {};
  });

  app.get("/:id/wait", { config: { operation: "wait" }, schema: waitForJob }, async (request, reply) => {
    const { timeout: timeoutSeconds = null } = request.query;
    const { id } = request.params;
    const caller = callerOf(request);
    // A client that waits counts as a reader, because it may wait as long as the job runs. A poll, with a timeout of 0, does not count.
    const onFound = (): void => {
      if (timeoutSeconds !== 0) readers.add({ response: reply.raw, job: id, identity: caller.identity });
    };
    return await whileWanted(request, { timeoutSeconds, work: (signal) => operations.wait(caller, id, { signal, onFound }) });
  });
};

const getRunning = operation({
  id: "getRunning",
  tag: "jobs",
  summary: "The running jobs",
  query: noQuery,
  answers: { 200: json("Starting, Running or Stopping, oldest first", Type.Object({ IDs: Type.Array(Type.String()) })) },
});

const getJob = jobOperation({
  id: "getJob",
  tag: "jobs",
  summary: "A job with all its fields",
  query: noQuery,
  answers: { 200: json("The job", WholeJob) },
});

const killJob = {
  ...jobOperation({
    id: "killJob",
    tag: "jobs",
    summary: "Kills a job",
    description:
      "Sends StopSignal to every process of the job, and after StopTimeoutSeconds SIGKILL to the remaining ones. Of the further steps, " +
      "only those with RunOn always run. The answer is sent when no process of the job is left. It is also 200 if the job is finished or " +
      "does not exist; 404 only for clients that see only their own jobs.",
    query: Type.Object(
      { force: Type.Optional(Type.Boolean({ description: "true: send SIGKILL at once, and run no further step" })) },
      { additionalProperties: false },
    ),
    answers: { 200: json("No process of the job is left", done) },
  }),
  /** The answer is 200 also for a job that does not exist, so every plausible ID is accepted. */
  params: Type.Object({
    id: Type.String({
      ...pattern("^[\\w-]{1,64}$", "is not an ID: use one from POST / or GET /jobs"),
      description: "the job's ID",
      examples: ["019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b"],
    }),
  }),
};

const signalJob = {
  ...jobOperation({
    id: "signalJob",
    tag: "jobs",
    summary: "Sends a signal to the running step",
    description:
      `To every process of the step, and no other; in a container to its command. The job goes on: it is no kill, also with ` +
      `SIGKILL, by which the step fails.
Answers when the signal is on its way. A step that ends meanwhile does not hear it, and the next step does not either.`,
    query: noQuery,
    answers: { 200: json("It is sent", done) },
    problems: ["invalid-json", "body-too-large", "not-running", "signal-not-possible"],
  }),
  body: Type.Object(
    { Signal: Type.Enum([...sentSignals], { description: "the name of kill -l", examples: ["SIGUSR1"] }) },
    { additionalProperties: false, title: "SignalRequest", description: "A signal for the running step" },
  ),
};

const waitForJob = jobOperation({
  id: "waitForJob",
  tag: "jobs",
  summary: "Waits until a job is finished",
  query: Type.Object(
    {
      timeout: Type.Optional(
        Type.Number({ minimum: 0, maximum: 2_000_000, description: "in seconds; then the answer is 408. Without it there is no timeout" }),
      ),
    },
    { additionalProperties: false },
  ),
  answers: { 200: json("The job is finished", WholeJob) },
  problems: ["not-finished-in-time", "too-many-readers"],
});
