import { type Known, session } from "../service/session.ts";

/** The session, in pages, which are shown in a known one alone. */
export function useKnown(): Known {
  const current = session.value;
  if (current.kind !== "known") throw new Error("a page was shown before it was known to whom");
  return current;
}
