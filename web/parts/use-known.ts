import { type Known, session } from "../service/session.ts";

/** The session, for pages, which are shown only when the user is known. */
export function useKnown(): Known {
  const current = session.value;
  if (current.kind !== "known") throw new Error("a page was shown before it was known to whom");
  return current;
}
