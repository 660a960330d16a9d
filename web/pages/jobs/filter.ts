import { type Job, type JobState, jobStates, stateNamed } from "../../../src/client/index.ts";

/** Listed are jobs that match all parts of the filter. An empty part matches every job. */
export type Filter = { states: JobState[]; labels: string[]; text: string };

export function readFilter(query: URLSearchParams): Filter {
  const states = query.getAll("state").flatMap((list) => list.split(",").map(stateNamed));
  return {
    states: jobStates.filter((state) => states.includes(state)),
    labels: query.getAll("label").filter((label) => label !== ""),
    text: query.get("text") ?? "",
  };
}

/** The filter as parameters of the API and of the page's address. */
export function queryOf({ states, labels, text }: Filter): URLSearchParams {
  const query = new URLSearchParams(labels.map((label): [string, string] => ["label", label]));
  if (states.length > 0) query.set("state", states.join(","));
  if (text !== "") query.set("text", text);
  return query;
}

/** The filter of the service, applied to jobs of events. */
export function fits({ ID, Name, State, Labels }: Job, { states, labels, text }: Filter): boolean {
  if (states.length > 0 && !states.includes(State)) return false;
  const hasLabel = (label: string): boolean => {
    const [key = "", ...value] = label.split("=");
    return Object.hasOwn(Labels, key) && (value.length === 0 || Labels[key] === value.join("="));
  };
  if (!labels.every(hasLabel)) return false;
  const wanted = text.toLowerCase();
  const texts = [ID, Name ?? "", ...Object.entries(Labels).map(([key, value]) => `${key}=${value}`)];
  return wanted === "" || texts.some((one) => one.toLowerCase().includes(wanted));
}
