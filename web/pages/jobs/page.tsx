import { useEffect, useMemo } from "preact/hooks";
import { Guarded } from "../../parts/guarded.tsx";
import { useTab } from "../../parts/use-tab.ts";
import { useKnown } from "../../parts/use-known.ts";
import { goTo, hrefs } from "../../route.ts";
import { mayRun } from "../../service/session.ts";
import { Filters } from "./filters.tsx";
import { type Filter, queryOf, readFilter } from "./filter.ts";
import { listOf } from "./lists.ts";
import { JobTable } from "./table.tsx";
import "./style.css";

/** The list of all jobs, live. */
export function JobsPage({ query }: { query: URLSearchParams }) {
  const list = listOf(useKnown());
  const filter = useMemo(() => readFilter(query), [query]);
  useTab("Jobs");
  useEffect(() => {
    if (list.progress.value.kind === "loading") void list.load();
  }, [list]);
  useEffect(() => list.setFilter(filter), [list, filter]);
  const change = (wanted: Filter): void => goTo(hrefs.jobs(queryOf(wanted)), { isQuiet: true });
  const isFiltered = filter.states.length + filter.labels.length > 0 || filter.text !== "";
  return (
    <div class="page filling jobs">
      <div class="row">
        <h1 class="unseen">Jobs</h1>
        <Filters filter={filter} onChange={change} />
        {mayRun.value && (
          <a class="button primary" href={hrefs.new()}>
            New job
          </a>
        )}
      </div>
      <Guarded what="The list of jobs">
        <JobTable
          list={list}
          onLabel={(label) => change({ ...filter, labels: [...new Set([...filter.labels, label])] })}
          empty={<Empty isFiltered={isFiltered} />}
        />
      </Guarded>
    </div>
  );
}

function Empty({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered)
    return (
      <p>
        No job fits. <a href={hrefs.jobs()}>Show all</a>
      </p>
    );
  return (
    <div class="empty">
      <p>No job has been submitted yet.</p>
      <pre>{`curl -d '{"CommandLine": "echo hello"}' ${location.origin}`}</pre>
      {mayRun.value && (
        <p>
          <a href={hrefs.new()}>Write the first one here</a>
        </p>
      )}
    </div>
  );
}
