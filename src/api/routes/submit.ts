import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { findContradiction } from "../../job/contradiction.ts";
import { pattern } from "../../job/sentences.ts";
import { JobSpec } from "../../job/spec.ts";
import { WholeJob } from "../../job/whole-job.ts";
import type { Caller } from "../../operations/audited.ts";
import type { Operations, ShownJob } from "../../operations/operations.ts";
import { invalid, Refusal } from "../../operations/refusal.ts";
import type { AttachOptions } from "../../output/attach.ts";
import { chooseType } from "../accept.ts";
import { callerOf } from "../access.ts";
import type { Context, Routes } from "../context.ts";
import { operation } from "../operation.ts";
import { refine } from "../refine.ts";
import { outputContent, outputFormatOf, sendOutput } from "../streaming/output.ts";
import { whileWanted } from "../wanted.ts";

/**
 * A submission, with one of three answers:
 *
 *     ID        the job is on disk
 *     wait      the job when it is finished, or as it is after some seconds
 *     attach    the output from its first byte, live, to the outcome
 *
 * The job does not depend on the connection, unless the client says so by `kill-on-disconnect`.
 */
export const submitRoutes: Routes = (app, context) => {
  const { operations, readers } = context;
  app.post("/", { config: { operation: "submit", body: "buffered" }, schema: submitJob }, async (request, reply) => {
    const caller = callerOf(request);
    const wanted = wantedAnswer(request.query, request.headers.accept);
    if (wanted.kind === "id" && request.query["kill-on-disconnect"] === true) throw needlessKill();
    // Too many readers are refused before the job exists.
    const reader = wanted.kind === "id" ? null : readers.add({ response: reply.raw, job: null, identity: caller.identity });
    const { "idempotency-key": key = null } = request.headers;
    const id = await operations.submit(caller, request.body, key);
    if (request.query["kill-on-disconnect"] === true)
      killOnDisconnect(context, { socket: request.raw.socket, response: reply.raw, caller, id });
    reader?.follow(id);
    const headers = { Location: `/${id}`, "Jobrunner-Job-ID": id };
    switch (wanted.kind) {
      case "id":
        return reply.headers(headers).send({ ID: id });
      case "wait":
        return reply.headers(headers).send(await jobAfter(request, wanted.seconds, { operations, caller, id }));
      case "attach":
        await sendOutput(context, request, reply, {
          source: operations.output(caller, id),
          options: { ...everything, encoding: wanted.encoding },
          headers,
        });
    }
  });
};

type WantedAnswer = { kind: "id" } | { kind: "wait"; seconds: number } | { kind: "attach"; encoding: AttachOptions["encoding"] };

/** `attach`, or an Accept that prefers a streamed format of output to JSON. */
function wantedAnswer({ attach, wait }: Static<typeof SubmitQuery>, accept: string | undefined): WantedAnswer {
  if (attach === true) return { kind: "attach", encoding: outputFormatOf(accept) };
  if (wait !== undefined) return { kind: "wait", seconds: wait };
  const streamed = attach === false ? "json" : chooseType(accept, ["application/json", "application/x-ndjson", "text/event-stream"]);
  if (streamed === "application/x-ndjson") return { kind: "attach", encoding: "ndjson" };
  return streamed === "text/event-stream" ? { kind: "attach", encoding: "sse" } : { kind: "id" };
}

function needlessKill(): Refusal {
  return invalid([{ field: "?kill-on-disconnect", message: "is for requests that stay connected: add attach=true or wait=SECONDS" }]);
}

const everything = { offset: 0, tail: null, follow: true, stream: null, step: null, timestamps: false, end: null } as const;

type Submitted = { caller: Caller; id: string };
type Connected = Submitted & { socket: Socket; response: ServerResponse };

/** Kills the job if the connection is closed before the answer is complete, but not if it is closed because the service stops. */
function killOnDisconnect({ operations, closing, log }: Context, { socket, response, caller, id }: Connected): void {
  const onClose = (): void => {
    if (closing.aborted) return;
    log("info", "the client disconnected, so its job is killed, as it asked for", { job: id });
    operations
      .kill(caller, id, { force: false, signal: AbortSignal.timeout(killLimitMs) })
      .catch((error: unknown) => log("error", "a job could not be killed after its client disconnected", { job: id, err: error }));
  };
  if (socket.destroyed) return onClose();
  socket.once("close", onClose);
  response.once("finish", () => socket.off("close", onClose));
}

/** The job is stopped all the same if it takes longer. */
const killLimitMs = 60_000;

type Waiting = Submitted & { operations: Operations };

/** The job when it is finished, or as it is after some seconds. */
async function jobAfter(request: FastifyRequest, timeoutSeconds: number, { operations, caller, id }: Waiting): Promise<ShownJob> {
  const work = (signal: AbortSignal): Promise<ShownJob> => operations.wait(caller, id, { signal, onFound: () => undefined });
  try {
    return await whileWanted(request, { timeoutSeconds, work });
  } catch (error) {
    if (error instanceof Refusal && error.code === "not-finished-in-time") return operations.get(caller, id);
    throw error;
  }
}

const SubmitQuery = refine(
  Type.Object(
    {
      attach: Type.Optional(
        Type.Boolean({ description: "true: the answer is the output as by GET /:ID/attach, in the format that Accept selects" }),
      ),
      wait: Type.Optional(
        Type.Number({
          minimum: 0,
          maximum: 2_000_000,
          description: "the answer is the whole job when it is finished, or as it is after so many seconds",
        }),
      ),
      "kill-on-disconnect": Type.Optional(
        Type.Boolean({ description: "with attach or wait: the job is killed if the connection is closed before the answer is complete" }),
      ),
    },
    { additionalProperties: false },
  ),
  ({ attach, wait }) =>
    attach !== true || wait === undefined
      ? null
      : invalid([{ field: "?wait", message: "cannot be given with attach: leave one of them out" }]),
);

const submitJob = {
  ...operation({
    id: "submitJob",
    tag: "jobs",
    summary: "Submits a job",
    description:
      "The answer is sent when the job is on disk. From then on the job exists until it is deleted, even if the service dies. With " +
      "`attach=true`, or if Accept prefers application/x-ndjson or text/event-stream, the answer is the output of the job, as by " +
      "GET /:ID/attach. With `wait` it is the whole job. If the connection breaks, the job continues, and GET /:ID/attach?offset=N " +
      "continues the output.",
    query: SubmitQuery,
    answers: {
      200: {
        description: "The job was accepted. With `wait` the whole job, with `attach` its output",
        content: {
          "application/json": Type.Union([Type.Object({ ID: Type.String() }, { title: "Accepted" }), WholeJob]),
          ...outputContent,
        },
        headers: {
          Location: { type: "string", description: "/ID" },
          "Jobrunner-Job-ID": { type: "string", description: "the job's ID, also before the first byte of output" },
        },
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
      "not-acceptable",
      "too-many-readers",
    ],
  }),
  headers: Type.Object({
    accept: Type.Optional(Type.String({ description: "the format of the output" })),
    "idempotency-key": Type.Optional(
      Type.String({
        ...pattern("^[\\x21-\\x7e]{1,255}$", "must be 1 to 255 visible ASCII characters"),
        description:
          "1 to 255 visible ASCII characters. A request with the same key and the same body returns the same job; with another body 422",
      }),
    ),
  }),
  body: refine(JobSpec, (spec) => {
    const contradiction = findContradiction(spec);
    return contradiction === null ? null : invalid([contradiction]);
  }),
};
