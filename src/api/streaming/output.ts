import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { JobView } from "../../job/job.ts";
import type { JobOutput } from "../../operations/operations.ts";
import { attach, type AttachOptions } from "../../output/attach.ts";
import { chooseType } from "../accept.ts";
import type { Context } from "../context.ts";
import { Problem } from "../problems.ts";
import { streamHeaders } from "../headers.ts";
import { stream } from "./stream.ts";

/** Answers that are the output of a job, live, to its outcome. */

export type OutputAnswer = { source: JobOutput; options: AttachOptions; status?: number; headers?: Record<string, string | number> };

/**
 * Sends the head of the answer, the output, and the outcome at its end. The caller has counted the client as a reader. Resolves when the
 * answer is sent or the connection is closed; then nobody is left to get an error.
 */
export async function sendOutput(
  context: Context,
  { raw: request }: FastifyRequest,
  reply: FastifyReply,
  { source, options, status = 200, headers = {} }: OutputAnswer,
): Promise<void> {
  const { encoding } = options;
  const hasTrailers = status === 200 && options.end === null && encoding === "raw" && hasChunks(request);
  const trailers = hasTrailers ? { Trailer: "Jobrunner-State, Jobrunner-Reason, Jobrunner-Exit-Code, Jobrunner-Signal" } : {};
  const response = reply.raw.writeHead(status, { "Content-Type": contentTypes[encoding], ...streamHeaders, ...trailers, ...headers });
  reply.hijack(); // the head is sent, so no error can be answered any more
  if (request.method === "HEAD") return void response.end();
  response.flushHeaders(); // the first byte of output may take hours
  await send(context, response, { source, options, hasTrailers });
}

type Sending = { source: JobOutput; options: AttachOptions; hasTrailers: boolean };

async function send(context: Context, response: ServerResponse, { source, options, hasTrailers }: Sending): Promise<void> {
  const {
    log,
    limits: { readerTimeoutSeconds },
  } = context;
  try {
    // Encoding costs time and memory in this process: encoding ahead gains nothing, and keeps a second chunk for each stalled reader.
    const readsAhead = options.encoding === "raw" && !options.timestamps;
    const result = await stream(context, response, { open: (signal) => attach(source, options, signal), readsAhead });
    if (result === "stalled")
      log("info", "a reader took nothing for too long and was disconnected", { job: source.id, readerTimeoutSeconds });
    if (result !== "complete") return;
    if (hasTrailers) response.addTrailers(outcomeTrailers(source.job()));
    response.end();
  } catch (error) {
    log("error", "a reader was disconnected, because the output could not be read", { job: source.id, err: error });
  }
}

/** The format of output that Accept selects. Throws the Problem if it accepts none. */
export function outputFormatOf(accept: string | undefined): AttachOptions["encoding"] {
  const type = chooseType(accept, ["text/plain", "application/x-ndjson", "text/event-stream"]);
  switch (type) {
    case "text/plain":
      return "raw";
    case "application/x-ndjson":
      return "ndjson";
    case "text/event-stream":
      return "sse";
    case null:
      throw new Problem("not-acceptable", "ask for text/plain, application/x-ndjson or text/event-stream");
  }
}

const contentTypes = {
  raw: "text/plain; charset=utf-8",
  ndjson: "application/x-ndjson",
  sse: "text/event-stream",
} as const satisfies Record<AttachOptions["encoding"], string>;

/** Trailers need a chunked body (RFC 9112, 7.1.2), which answers to HEAD and to HTTP/1.0 do not have. */
function hasChunks({ method, httpVersion }: IncomingMessage): boolean {
  return method !== "HEAD" && httpVersion !== "1.0";
}

/** The state of the job when all output was sent: its outcome, unless `follow=false`. Fields that are null are omitted. */
function outcomeTrailers(job: JobView | null): Record<string, string> {
  if (job === null) return {};
  const { State, Reason, ExitCode, Signal } = job;
  const fields = { "Jobrunner-State": State, "Jobrunner-Reason": Reason, "Jobrunner-Exit-Code": ExitCode, "Jobrunner-Signal": Signal };
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])));
}

const origin = {
  Offset: Type.Integer({ minimum: 0, description: "position in the whole output, in bytes, also if a filter omits parts" }),
  Time: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
    description: "when the bytes were read from the job; null: not known",
  }),
  Step: Type.Union([Type.Integer(), Type.Null()]),
  Stream: Type.Union([Type.Enum(["stdout", "stderr"]), Type.Null()]),
};
const Output = Type.Object(
  { ...origin, Data: Type.String(), Encoding: Type.Optional(Type.Literal("base64", { description: "set if the bytes are not UTF-8" })) },
  { title: "OutputPiece", description: "A piece of output; characters are never split" },
);
const Gap = Type.Object(
  { ...origin, LostBytes: Type.Integer({ minimum: 1 }) },
  { title: "OutputGap", description: "Bytes that could not be stored are missing here" },
);
const Outcome = Type.Object({ Outcome: JobView }, { title: "Outcome", description: "The last line" });
const Heartbeat = Type.Object(
  {},
  {
    title: "Heartbeat",
    description: "An empty object, to be ignored: there was no output for 15 seconds, and the connection is alive",
    additionalProperties: false,
  },
);

/** The formats of output, for the OpenAPI document. */
export const outputContent = {
  "text/plain": Type.String(),
  "application/x-ndjson": Type.Union([Output, Gap, Outcome, Heartbeat], { title: "AttachLine" }),
  "text/event-stream": Type.String(),
};
