import type { Known } from "../../service/session.ts";
import { JobList } from "./job-list.ts";

/** One list for the whole session, so that it is unchanged when the user comes back from a job. */
const lists = new WeakMap<Known["client"], JobList>();

export function listOf({ client, events }: Known): JobList {
  const list = lists.get(client) ?? new JobList({ client, events });
  lists.set(client, list);
  return list;
}
