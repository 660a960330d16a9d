import type { ByName, Client } from "../client/index.ts";
import { UsageError } from "./usage-error.ts";

/** The jobs that a command is about, as people name them. */

export type JobReference = { kind: "word"; text: string } | { kind: "last" };

export const anyJob = "The job's ID, its beginning, or its name: the newest job of that name";
export const anyJobs = "The jobs' IDs, their beginnings, or names: each the newest job of that name";
export const lastFlag = "--last";

/** The jobs that were typed. Throws the UsageError if there are none, or both. */
export function referencesOf(words: string | string[] | undefined, isLast: boolean | undefined): [JobReference, ...JobReference[]] {
  const [first, ...others] = [words ?? []].flat();
  if (isLast === true && first !== undefined) throw new UsageError(`give a job or ${lastFlag}, not both`);
  if (isLast === true) return [{ kind: "last" }];
  if (first === undefined) throw new UsageError(`give a job by its ID or name, or ${lastFlag} for the newest one`);
  return [wordReference(first), ...others.map(wordReference)];
}

function wordReference(text: string): JobReference {
  return { kind: "word", text };
}

export type Finding = { byName?: ByName; isRetried?: boolean };

/** The ID of a job. */
export async function idOf(client: Client, reference: JobReference, { byName, isRetried = false }: Finding): Promise<string> {
  if (reference.kind === "last") return await client.newest({ isUnfinished: byName === "unfinished", isRetried });
  return await client.find(reference.text, { isRetried, ...(byName === undefined ? {} : { byName }) });
}

export function wordOf(reference: JobReference): string {
  return reference.kind === "last" ? lastFlag : reference.text;
}
