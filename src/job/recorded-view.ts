import type { JobView } from "./job.ts";
import type { RecordedSpec } from "./secrets.ts";
import { shortCommand } from "./short-command.ts";

/**
 * The view of a finished job as the database has it, in JSON. An older service may have recorded it without some of its fields.
 * `specJson`: only if the view is without a command, and the spec is not too long to be read for that.
 */
export type RecordedView = { viewJson: string; specJson: string | null };

export function readView({ viewJson, specJson }: RecordedView): JobView {
  const view: JobView | OlderView = JSON.parse(viewJson);
  if ("Command" in view) return view;
  const { ID, Name, ...rest } = view;
  const spec: RecordedSpec | null = specJson === null ? null : JSON.parse(specJson);
  const Steps = rest.Steps.map((step) => ({ ...step, StartError: null }));
  return { ID, Name, Command: spec === null ? null : shortCommand(spec), ...rest, WaitsFor: rest.WaitsFor ?? null, Steps };
}

type OlderView = Omit<JobView, "Command" | "WaitsFor" | "Steps"> & {
  WaitsFor?: JobView["WaitsFor"];
  Steps: Omit<JobView["Steps"][number], "StartError">[];
};

/** The view as JSON with all its fields. */
export function viewJsonOf(recorded: RecordedView): string {
  return recorded.specJson === null ? recorded.viewJson : JSON.stringify(readView(recorded));
}
