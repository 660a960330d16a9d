import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { JobView } from "../../job/job.ts";
import { attach, type AttachOptions, type AttachSource, outputSize } from "../../output/attach.ts";
import { endId } from "../../output/encoders.ts";
import type { JobOutput } from "../../operations/operations.ts";
import { chooseType } from "../accept.ts";
import { callerOf } from "../access.ts";
import type { Context, Routes } from "../context.ts";
import { jobOperation } from "../operation.ts";
import { Problem } from "../problems.ts";
import { invalid } from "../../operations/refusal.ts";
import { refine } from "../refine.ts";
import { streamHeaders } from "../headers.ts";
import { type ByteRange, readRange } from "../range.ts";
import { stream } from "../streaming/stream.ts";

const count = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const AttachQuery = refine(
  Type.Object(
    {
      offset: Type.Optional(Type.Integer({ ...count, description: "from this byte of the output on" })),
      tail: Type.Optional(Type.Integer({ ...count, description: "from so many lines before the end of what there is" })),
      end: Type.Optional(
        Type.Integer({ ...count, description: "up to this byte of the output, without it: these bytes alone, and no outcome" }),
      ),
      follow: Type.Optional(Type.Boolean({ default: true, description: "false: what there is now" })),
      stream: Type.Optional(Type.Enum(["stdout", "stderr"], { description: "only this one" })),
      step: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: "only this one" })),
      timestamps: Type.Optional(
        Type.Boolean({ description: "raw output: each line begins with the time at which its first byte was read" }),
      ),
    },
    { additionalProperties: false },
  ),
  ({ offset = 0, tail, end }) => {
    if (end === undefined) return null;
    if (end < offset) return invalid([{ field: "?end", message: "must not be before the offset" }]);
    return tail === undefined ? null : invalid([{ field: "?end", message: "cannot be given with tail: leave one of them out" }]);
  },
);

/** The output of a job, live. */
export const attachRoutes: Routes = (app, context) => {
  app.get("/:id/attach", { config: { operation: "output" }, schema: attachToJob }, async (request, reply) => {
    const caller = callerOf(request);
    const source = context.operations.output(caller, request.params.id);
    if (hasHadAll(request)) return await reply.code(204).send();
    const options = optionsOf(request, request.query);
    const range = await rangeOf(request, source, options);
    const hasTrailers = range === null && options.end === null && options.encoding === "raw" && hasChunks(request.raw);
    const headers = {
      ...commonHeaders(options),
      ...(hasTrailers ? trailerHeaders : {}),
      ...(range === null ? {} : await rangeHeaders(range, source)),
    };
    context.readers.add({ response: reply.raw, job: source.id, identity: caller.identity });
    const response = reply.raw.writeHead(range === null ? 200 : 206, headers);
    reply.hijack(); // from here on there is nobody to answer for an error
    if (request.method === "HEAD") return void response.end();
    response.flushHeaders(); // before the first byte of output, which may take hours
    await send(context, response, {
      source,
      options: range === null ? options : { ...options, offset: range.start, end: range.end },
      hasTrailers,
    });
  });
};

type Attaching = { source: JobOutput; options: AttachOptions; hasTrailers: boolean };

async function send(context: Context, response: ServerResponse, { source, options, hasTrailers }: Attaching): Promise<void> {
  const {
    log,
    limits: { readerTimeoutSeconds },
  } = context;
  try {
    // What a form makes of output costs this process, which gains nothing by doing it ahead, and memory for each reader that takes nothing.
    const readsAhead = options.encoding === "raw" && !options.timestamps;
    const result = await stream(context, response, { open: (signal) => attach(source, options, signal), readsAhead });
    if (result === "stalled") log("info", "a reader took nothing for too long and was cut off", { job: source.id, readerTimeoutSeconds });
    if (result !== "complete") return;
    if (hasTrailers) response.addTrailers(outcomeTrailers(source.job()));
    response.end();
  } catch (error) {
    log("error", "a reader was cut off, since the output could not be read", { job: source.id, err: error });
  }
}

function optionsOf(request: FastifyRequest, query: Static<typeof AttachQuery>): AttachOptions {
  const encoding = encodingOf(request.headers.accept);
  if (query.timestamps === true && encoding !== "raw") {
    throw invalid([{ field: "?timestamps", message: "is for raw output: every piece of the other forms has its Time" }]);
  }
  if (query.end !== undefined && request.headers.range !== undefined) {
    throw invalid([{ field: "?end", message: "cannot be given with a Range: leave one of them out" }]);
  }
  const resumedAt = encoding === "sse" ? lastEventId(request) : null; // a browser asks again with the same query
  return {
    encoding,
    offset: resumedAt ?? query.offset ?? 0,
    tail: resumedAt === null ? (query.tail ?? null) : null,
    follow: query.follow ?? true,
    stream: query.stream ?? null,
    step: query.step ?? null,
    timestamps: query.timestamps ?? false,
    end: query.end ?? null,
  };
}

const contentTypes = {
  raw: "text/plain; charset=utf-8",
  ndjson: "application/x-ndjson",
  sse: "text/event-stream",
} as const satisfies Record<AttachOptions["encoding"], string>;

function encodingOf(accept: string | undefined): AttachOptions["encoding"] {
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

/** HTML standard, "Server-sent events": an EventSource comes again after every end, until the answer is 204. */
function hasHadAll({ headers }: FastifyRequest): boolean {
  return headers["last-event-id"] === endId && encodingOf(headers.accept) === "sse";
}

/** HTML standard: the id of the last event that a client saw, here the offset at which it goes on. */
function lastEventId({ headers }: FastifyRequest): number | null {
  const id = headers["last-event-id"];
  if (id === undefined || id === "") return null;
  if (typeof id === "string" && /^\d{1,15}$/.test(id)) return Number(id);
  throw invalid([{ field: "Last-Event-ID", message: "must be the id of an event of this stream, a number or end" }]);
}

/** Only what does not change any more has ranges. */
async function rangeOf({ headers }: FastifyRequest, source: AttachSource, options: AttachOptions): Promise<ByteRange | null> {
  if (headers.range === undefined || options.encoding !== "raw" || !source.isFinished()) return null;
  if (options.offset > 0 || options.tail !== null || options.stream !== null || options.step !== null || options.timestamps) {
    throw invalid([{ field: "Range", message: "cannot be given with offset, tail, stream, step or timestamps: leave one of them out" }]);
  }
  return readRange(headers.range, await outputSize(source.directory));
}

const trailerHeaders = { Trailer: "Jobrunner-State, Jobrunner-Reason, Jobrunner-Exit-Code, Jobrunner-Signal" };

/** Trailers come after chunks only (RFC 9112, 7.1.2): an answer without a body has none, and no HTTP/1.0 client knows them. */
function hasChunks({ method, httpVersion }: IncomingMessage): boolean {
  return method !== "HEAD" && httpVersion !== "1.0";
}

async function rangeHeaders({ start, end }: ByteRange, { directory }: AttachSource): Promise<Record<string, string>> {
  return { "Content-Range": `bytes ${start}-${end - 1}/${await outputSize(directory)}`, "Content-Length": String(end - start) };
}

function commonHeaders({ encoding }: AttachOptions): Record<string, string> {
  return {
    "Content-Type": contentTypes[encoding],
    ...streamHeaders,
    ...(encoding === "raw" ? { "Accept-Ranges": "bytes" } : {}),
  };
}

/** How the job is when all was sent: without `follow=false`, its outcome. What is null is left out. */
function outcomeTrailers(job: JobView | null): Record<string, string> {
  if (job === null) return {};
  const { State, Reason, ExitCode, Signal } = job;
  const fields = { "Jobrunner-State": State, "Jobrunner-Reason": Reason, "Jobrunner-Exit-Code": ExitCode, "Jobrunner-Signal": Signal };
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])));
}

const headers = Type.Object({
  accept: Type.Optional(Type.String({ description: "which form; text/plain otherwise" })),
  range: Type.Optional(Type.String({ description: "bytes=, of the raw output of a job that is finished (RFC 9110)" })),
  "last-event-id": Type.Optional(Type.String({ description: "of server-sent events: goes on behind this one" })),
});

const origin = {
  Offset: Type.Integer({ minimum: 0, description: "in bytes of the whole output, whatever is left out" }),
  Time: Type.Union([Type.String({ format: "date-time" }), Type.Null()], { description: "when it was read from the job; null: not known" }),
  Step: Type.Union([Type.Integer(), Type.Null()]),
  Stream: Type.Union([Type.Enum(["stdout", "stderr"]), Type.Null()]),
};
const Output = Type.Object(
  { ...origin, Data: Type.String(), Encoding: Type.Optional(Type.Literal("base64", { description: "where the bytes are no UTF-8" })) },
  { title: "OutputPiece", description: "A piece of output; no character is split" },
);
const Gap = Type.Object(
  { ...origin, LostBytes: Type.Integer({ minimum: 1 }) },
  { title: "OutputGap", description: "Here bytes could not be kept" },
);
const Outcome = Type.Object({ Outcome: JobView }, { title: "Outcome", description: "The last one" });
const Heartbeat = Type.Object(
  {},
  {
    title: "Heartbeat",
    description: "An empty object, to be ignored: nothing has come for 15 s, and the connection lives",
    additionalProperties: false,
  },
);

const attachToJob = {
  ...jobOperation({
    id: "attachToJob",
    tag: "output",
    summary: "All output of a job from its first byte, then live, until it is finished",
    description:
      "For queued, running and finished jobs, and any number of readers. Raw output ends with the outcome in the trailers " +
      "Jobrunner-State, Jobrunner-Reason, Jobrunner-Exit-Code and Jobrunner-Signal. The other formats send a heartbeat every 15 s of " +
      "silence: an empty object, which is to be ignored, or a comment. A reader that takes nothing for long is disconnected, and may " +
      "resume with an offset.",
    query: AttachQuery,
    answers: {
      200: {
        description:
          "The output: raw, a line of JSON for each piece, or the same as server-sent events whose id is the offset behind the piece, " +
          "and `end` behind the last",
        content: {
          "text/plain": Type.String(),
          "application/x-ndjson": Type.Union([Output, Gap, Outcome, Heartbeat], { title: "AttachLine" }),
          "text/event-stream": Type.String(),
        },
      },
      204: { description: "There is nothing more for the `Last-Event-ID` of the end: an EventSource stops", type: "null" },
      206: { description: "A range of the raw output", content: { "text/plain": Type.String() } },
    },
    problems: ["not-acceptable", "no-such-range", "too-many-readers"],
  }),
  headers,
};
