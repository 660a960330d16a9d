import { Type } from "typebox";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { jobOperation, json } from "../operation.ts";

const SearchQuery = Type.Object(
  {
    text: Type.String({ minLength: 1, maxLength: 200, pattern: "^[^\\u0000-\\u001f]+$", description: "what to look for, in one line" }),
    case: Type.Optional(Type.Boolean({ default: false, description: "true: upper and lower case matter" })),
    offset: Type.Optional(
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0, description: "from this byte of the output on" }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  },
  { additionalProperties: false },
);

const SearchResult = Type.Object(
  {
    Matches: Type.Array(
      Type.Object({
        Offset: Type.Integer({ minimum: 0, description: "of its first byte in the output" }),
        Bytes: Type.Integer({ minimum: 1 }),
      }),
    ),
    NextOffset: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: "where to go on; null: that was all that there is now",
    }),
  },
  { title: "SearchResult" },
);

/** Where a text is in the output of a job. */
export const searchRoutes: Routes = (app, { operations }) => {
  app.get("/:id/search", { config: { operation: "search" }, schema: search }, async (request, reply) => {
    const { text, case: isCaseSensitive = false, offset = 0, limit = 100 } = request.query;
    const options = { text, isCaseSensitive, offset, limit };
    const { matches, next } = await operations.search(callerOf(request), request.params.id, options, () => !reply.raw.destroyed);
    return { Matches: matches.map(({ offset: at, bytes }) => ({ Offset: at, Bytes: bytes })), NextOffset: next };
  });
};

const search = jobOperation({
  id: "searchOutput",
  tag: "output",
  summary: "Where a text is in the output of a job",
  description: "Escape sequences within the text are passed over. One call looks at a part of a long output, and says where to go on.",
  query: SearchQuery,
  answers: { 200: json("What was found, in order", SearchResult) },
  problems: ["too-many-at-once"],
});
