import { Type } from "typebox";
import { invalid } from "../../operations/refusal.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { jobOperation, json } from "../operation.ts";
import { refine } from "../refine.ts";

const count = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const StyleQuery = refine(
  Type.Object(
    {
      offset: Type.Integer({ ...count, description: "the byte of the output whose style is asked for" }),
      from: Type.Optional(
        Type.Integer({ ...count, default: 0, description: "a byte whose style is known: nothing before it is looked at" }),
      ),
    },
    { additionalProperties: false },
  ),
  ({ offset, from = 0 }) => (from > offset ? invalid([{ field: "?from", message: "must not be behind the offset" }]) : null),
);

const OutputStyle = Type.Object(
  {
    Sgr: Type.String({ description: "parameters of an SGR sequence that sets the style; empty: none is set" }),
    FromOffset: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: "the style at this byte comes before that of Sgr: ask for it; null: nothing before counts",
    }),
  },
  { title: "OutputStyle" },
);

/** Which colours and styles hold at a byte of the output. */
export const styleRoutes: Routes = (app, { operations }) => {
  app.get("/:id/style", { config: { operation: "style" }, schema: style }, async (request) => {
    const { offset, from: known = 0 } = request.query;
    const { sgr, from } = await operations.style(
      callerOf(request),
      request.params.id,
      { offset, from: known },
      () => !request.raw.destroyed,
    );
    return { Sgr: sgr, FromOffset: from };
  });
};

const style = jobOperation({
  id: "outputStyle",
  tag: "output",
  summary: "Which colours and styles hold at a byte of the output",
  description:
    "For readers that begin in the midst of an output: what escape sequences before it have set, and not reset. A style ends where " +
    "another step writes. One call looks at a part of a long output, and says where to go on.",
  query: StyleQuery,
  answers: { 200: json("The style", OutputStyle) },
  problems: ["too-many-at-once"],
});
