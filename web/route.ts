import { signal } from "@preact/signals";

/** A position in a job's output. `lastBytes`: a byte of the last line of the range that begins with the line of `offsetBytes`. */
export type LogTarget =
  | { kind: "byte"; offsetBytes: number; lastBytes: number }
  | { kind: "step"; number: number }
  | { kind: "step-end"; number: number };

/**
 * What the page shows is in the fragment of its address, so that a proxy may serve it under any path:
 *
 *     #/jobs?state=Failed&label=team=db&text=nightly      the list
 *     #/jobs/ID?at=OFFSET                                 a job, at the line of its output in which this byte is
 *     #/jobs/ID?at=OFFSET-OFFSET                          a job, at the lines from the one to the other
 *     #/jobs/ID?step=NUMBER                               a job, where this step begins to write
 *     #/jobs/ID?end=NUMBER                                a job, at the last lines of this step
 *     #/new?from=ID                                       a new job, like another
 *     #/box                                               the box
 */
export type Route =
  | { page: "jobs"; query: URLSearchParams }
  | { page: "job"; id: string; target: LogTarget | null }
  | { page: "new"; fromId: string | null }
  | { page: "box" };

function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const query = new URLSearchParams(search);
  const [, first = "", second = ""] = path.split("/");
  if (first === "jobs" && second !== "") return { page: "job", id: second, target: readTarget(query) };
  if (first === "new") return { page: "new", fromId: query.get("from") };
  if (first === "box") return { page: "box" };
  return { page: "jobs", query };
}

export const hrefs = {
  jobs: (query = new URLSearchParams()): string => (query.size === 0 ? "#/jobs" : `#/jobs?${query}`),
  job: (id: string, target: LogTarget | null = null): string => (target === null ? `#/jobs/${id}` : `#/jobs/${id}?${targetText(target)}`),
  new: (fromId: string | null = null): string => (fromId === null ? "#/new" : `#/new?from=${fromId}`),
  box: "#/box",
} as const;

export const route = signal(parseRoute(location.hash));
addEventListener("hashchange", () => (route.value = parseRoute(location.hash)));

/** Navigates. `isQuiet`: replaces the current entry of the history, so that "back" skips it. */
export function goTo(href: string, { isQuiet = false } = {}): void {
  if (isQuiet) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  route.value = parseRoute(location.hash);
}

function readTarget(query: URLSearchParams): LogTarget | null {
  const [first = null, last = first] = (query.get("at") ?? "").split("-", 2).map(readCount);
  if (first !== null && last !== null) return { kind: "byte", offsetBytes: Math.min(first, last), lastBytes: Math.max(first, last) };
  const [step, end] = [readCount(query.get("step")), readCount(query.get("end"))];
  if (step !== null) return { kind: "step", number: step };
  return end === null ? null : { kind: "step-end", number: end };
}

function targetText(target: LogTarget): string {
  switch (target.kind) {
    case "byte":
      return `at=${rangeText(target)}`;
    case "step":
      return `step=${target.number}`;
    case "step-end":
      return `end=${target.number}`;
  }
}

function rangeText({ offsetBytes, lastBytes }: Extract<LogTarget, { kind: "byte" }>): string {
  return lastBytes === offsetBytes ? `${offsetBytes}` : `${offsetBytes}-${lastBytes}`;
}

function readCount(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
