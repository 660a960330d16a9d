import type { RecordedView } from "../job/recorded-view.ts";

/** A longer spec is not read for the command alone: a list of a thousand such jobs would delay all clients. */
const longestReadBytes = 65_536;

/** The columns of a RecordedView, from `jobs j`. Views that an older service recorded have no command. */
export const viewColumns = `j.view,
  CASE WHEN instr(j.view, '"Command":') = 0 AND octet_length(j.spec) <= ${longestReadBytes} THEN j.spec END AS older_spec`;

/** Null: the job is not finished. */
export function recordedViewOf({ view, older_spec: specJson }: Record<string, unknown>): RecordedView | null {
  return typeof view === "string" ? { viewJson: view, specJson: typeof specJson === "string" ? specJson : null } : null;
}
