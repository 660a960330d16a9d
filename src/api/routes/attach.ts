import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { type AttachOptions, type AttachSource, outputSize } from "../../output/attach.ts";
import { endId } from "../../output/encoders.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { jobOperation } from "../operation.ts";
import { invalid } from "../../operations/refusal.ts";
import { refine } from "../refine.ts";
import { type ByteRange, readRange } from "../range.ts";
import { outputContent, outputFormatOf, sendOutput } from "../streaming/output.ts";

const count = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const AttachQuery = refine(
  Type.Object(
    {
      offset: Type.Optional(Type.Integer({ ...count, description: "start at this byte of the output" })),
      tail: Type.Optional(Type.Integer({ ...count, description: "start so many lines before the current end" })),
      end: Type.Optional(Type.Integer({ ...count, description: "stop before this byte of the output, and send no outcome" })),
      follow: Type.Optional(Type.Boolean({ default: true, description: "false: only the current output" })),
      stream: Type.Optional(Type.Enum(["stdout", "stderr"], { description: "only this stream" })),
      step: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: "only this step" })),
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
    if (isComplete(request)) return await reply.code(204).send();
    const options = optionsOf(request, request.query);
    const range = await rangeOf(request, source, options);
    context.readers.add({ response: reply.raw, job: source.id, identity: caller.identity });
    await sendOutput(context, request, reply, {
      source,
      options: range === null ? options : { ...options, offset: range.start, end: range.end },
      status: range === null ? 200 : 206,
      headers: {
        ...(options.encoding === "raw" ? { "Accept-Ranges": "bytes" } : {}),
        ...(range === null ? {} : await rangeHeaders(range, source)),
      },
    });
  });
};

function optionsOf(request: FastifyRequest, query: Static<typeof AttachQuery>): AttachOptions {
  const encoding = outputFormatOf(request.headers.accept);
  if (query.timestamps === true && encoding !== "raw") {
    throw invalid([{ field: "?timestamps", message: "is only for raw output: in the other formats every piece has its Time" }]);
  }
  if (query.end !== undefined && request.headers.range !== undefined) {
    throw invalid([{ field: "?end", message: "cannot be given with a Range: leave one of them out" }]);
  }
  const resumedAt = encoding === "sse" ? lastEventId(request) : null; // a browser reconnects with the same query
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

/** Whether the client has received all events. An EventSource reconnects until the answer is 204 (HTML, "Server-sent events"). */
function isComplete({ headers }: FastifyRequest): boolean {
  return headers["last-event-id"] === endId && outputFormatOf(headers.accept) === "sse";
}

/** The ID of the last event that a client received (HTML standard). It is the offset at which the client resumes. */
function lastEventId({ headers }: FastifyRequest): number | null {
  const id = headers["last-event-id"];
  if (id === undefined || id === "") return null;
  if (typeof id === "string" && /^\d{1,15}$/.test(id)) return Number(id);
  throw invalid([{ field: "Last-Event-ID", message: "must be the id of an event of this stream, a number or end" }]);
}

/** Null: send the whole output. Only the output of a finished job has ranges, because it does not change any more. */
async function rangeOf({ headers }: FastifyRequest, source: AttachSource, options: AttachOptions): Promise<ByteRange | null> {
  if (headers.range === undefined || options.encoding !== "raw" || !source.isFinished()) return null;
  if (options.offset > 0 || options.tail !== null || options.stream !== null || options.step !== null || options.timestamps) {
    throw invalid([{ field: "Range", message: "cannot be given with offset, tail, stream, step or timestamps: leave one of them out" }]);
  }
  return readRange(headers.range, await outputSize(source.directory));
}

async function rangeHeaders({ start, end }: ByteRange, { directory }: AttachSource): Promise<Record<string, string>> {
  return { "Content-Range": `bytes ${start}-${end - 1}/${await outputSize(directory)}`, "Content-Length": String(end - start) };
}

const headers = Type.Object({
  accept: Type.Optional(Type.String({ description: "the format; without it text/plain" })),
  range: Type.Optional(Type.String({ description: "a range in bytes of the raw output of a finished job (RFC 9110)" })),
  "last-event-id": Type.Optional(Type.String({ description: "for server-sent events: resume after this event" })),
});

const attachToJob = {
  ...jobOperation({
    id: "attachToJob",
    tag: "output",
    summary: "All output of a job from its first byte, then live, until it is finished",
    description:
      "For queued, running and finished jobs, and any number of readers. Raw output ends with the outcome in the trailers " +
      "Jobrunner-State, Jobrunner-Reason, Jobrunner-Exit-Code and Jobrunner-Signal. The other formats send a heartbeat after every 15 " +
      "seconds without output: an empty object or a comment, which clients ignore. A reader that takes nothing for too long is " +
      "disconnected, and may resume with an offset.",
    query: AttachQuery,
    answers: {
      200: {
        description:
          "The output: raw, as one line of JSON for each piece, or as server-sent events. The ID of an event is the offset of the next " +
          "piece; the ID of the last event is `end`.",
        content: outputContent,
      },
      204: { description: "The `Last-Event-ID` is `end`, so there is nothing more: an EventSource stops", type: "null" },
      206: { description: "A range of the raw output", content: { "text/plain": Type.String() } },
    },
    problems: ["not-acceptable", "no-such-range", "too-many-readers"],
  }),
  headers,
};
