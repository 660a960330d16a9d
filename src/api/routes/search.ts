import { Type } from "typebox";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { jobOperation, json } from "../operation.ts";

const SearchQuery = Type.Object(
  {
    text: Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: "^[^\\u0000-\\u001f]+$",
      description: "the text to find, without line breaks",
    }),
    case: Type.Optional(Type.Boolean({ default: false, description: "true: case-sensitive" })),
    offset: Type.Optional(
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0, description: "start at this byte of the output" }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  },
  { additionalProperties: false },
);

const SearchResult = Type.Object(
  {
    Matches: Type.Array(
      Type.Object({
        Offset: Type.Integer({ minimum: 0, description: "the offset of the first byte in the output" }),
        Bytes: Type.Integer({ minimum: 1 }),
      }),
    ),
    NextOffset: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: "where to continue; null: the current end was reached",
    }),
    ResumeOffset: Type.Integer({
      minimum: 0,
      description: "where to continue when the output of a running job has grown; every match is then found once",
    }),
  },
  { title: "SearchResult" },
);

/** Searches the output of a job for a text. */
export const searchRoutes: Routes = (app, { operations }) => {
  app.get("/:id/search", { config: { operation: "search" }, schema: search }, async (request, reply) => {
    const { text, case: isCaseSensitive = false, offset = 0, limit = 100 } = request.query;
    const options = { text, isCaseSensitive, offset, limit };
    const { matches, next, resume } = await operations.search(callerOf(request), request.params.id, options, () => !reply.raw.destroyed);
    return { Matches: matches.map(({ offset: at, bytes }) => ({ Offset: at, Bytes: bytes })), NextOffset: next, ResumeOffset: resume };
  });
};

const search = jobOperation({
  id: "searchOutput",
  tag: "output",
  summary: "Finds a text in the output of a job",
  description: "Escape sequences within the text are ignored. One call searches a part of a long output, and returns where to continue.",
  query: SearchQuery,
  answers: { 200: json("The matches, in order", SearchResult) },
  problems: ["too-many-at-once"],
});
