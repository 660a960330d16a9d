import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { isFree } from "../../keys.tsx";
import type { JobList } from "./job-list.ts";
import { JobRow } from "./row.tsx";

const wideRowPx = 40;
const narrowRowPx = 68;
const narrow = matchMedia("(max-width: 760px)");
const spareRows = 8;

/** The list as a table. Only visible rows are in the document, however many jobs there are. */
export function JobTable({ list, onLabel, empty }: { list: JobList; onLabel: (label: string) => void; empty: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  const rowPx = useRowPx();
  const { rows, progress } = { rows: list.rows.value, progress: list.progress.value };
  const range = useVisibleRange({ box, list, rowPx });
  useStill({ box, list, rowPx });
  const activeIndex = useKeys({ box, list, rowPx });
  const shown = rows.slice(range.first, range.last + 1);
  const hold = (event: PointerEvent): void => {
    if (event.pointerType === "mouse") list.hold();
  };
  return (
    <div class="card table" onPointerEnter={hold} onPointerLeave={() => list.release()}>
      <Waiting list={list} />
      <div
        class="table-rows"
        role="table"
        aria-label="Jobs, newest first"
        aria-rowcount={progress.kind === "ready" && !progress.hasMore ? rows.length + 1 : -1}
        aria-busy={progress.kind === "loading"}
      >
        <div class="job-row titles" role="row" aria-rowindex={1}>
          {["State", "Name", "Labels", "Steps", "Submitted", "Took", "Exit"].map((title) => (
            <span key={title} role="columnheader">
              {title}
            </span>
          ))}
        </div>
        <div ref={box} class="rows" role="rowgroup">
          <div class="space" role="presentation" style={{ height: `${rows.length * rowPx}px` }}>
            {shown.map((row, index) => (
              <JobRow
                key={row.id}
                row={row}
                index={range.first + index}
                topPx={(range.first + index) * rowPx}
                isCurrent={activeIndex === range.first + index}
                onLabel={onLabel}
              />
            ))}
          </div>
        </div>
      </div>
      <div class="hints">
        {progress.kind === "loading" && (
          <p class={`hint muted ${rows.length > 0 ? "is-more" : ""}`}>Loading {rows.length > 0 ? "more " : ""}jobs…</p>
        )}
        {progress.kind === "failed" && (
          <p class="hint notice bad" role="alert">
            The jobs could not be asked for: {progress.problem}{" "}
            <button class="small" onClick={() => void list.load()}>
              Try again
            </button>
          </p>
        )}
        {progress.kind === "ready" && rows.length === 0 && <div class="hint">{empty}</div>}
      </div>
    </div>
  );
}

/** Inside the table, because the list is held while the pointer is in it. */
function Waiting({ list }: { list: JobList }) {
  const count = list.waiting.value;
  return (
    <div class="waiting" role="status">
      {count > 0 && (
        <button class="small primary" onClick={() => list.showWaiting()}>
          {count === 1 ? "1 new job" : `${count} new jobs`}: show
        </button>
      )}
    </div>
  );
}

function useRowPx(): number {
  const rowPx = useSignal(narrow.matches ? narrowRowPx : wideRowPx);
  useEffect(() => {
    const onChange = (): void => void (rowPx.value = narrow.matches ? narrowRowPx : wideRowPx);
    narrow.addEventListener("change", onChange);
    return () => narrow.removeEventListener("change", onChange);
  }, []);
  return rowPx.value;
}

type Viewport = { box: { current: HTMLDivElement | null }; list: JobList; rowPx: number };

/** The visible rows and some more. Near the end of the loaded rows, more are requested. */
function useVisibleRange({ box, list, rowPx }: Viewport): { first: number; last: number } {
  const range = useSignal({ first: 0, last: 60 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    element.scrollTop = list.scrollTopPx;
    const look = (): void => {
      list.scrollTopPx = element.scrollTop;
      const first = Math.max(0, Math.floor(element.scrollTop / rowPx) - spareRows);
      const last = Math.ceil((element.scrollTop + element.clientHeight) / rowPx) + spareRows;
      if (first !== range.value.first || last !== range.value.last) range.value = { first, last };
      if (last > list.rows.value.length - 60) void list.loadMore();
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [list, rowPx]);
  return range.value;
}

/** Rows that are added above the viewport do not move the visible rows. */
function useStill({ box, list, rowPx }: Viewport): void {
  const first = useRef<string | null>(null);
  const rows = list.rows.value;
  useLayoutEffect(() => {
    const element = box.current;
    const before = first.current;
    first.current = rows[0]?.id ?? null;
    if (element === null || before === null || element.scrollTop < rowPx / 2) return;
    const added = rows.findIndex(({ id }) => id === before);
    if (added > 0) element.scrollTop += added * rowPx;
  }, [rows, rowPx]);
}

/** Arrows, or j and k, go from job to job. Returns the row that Tab focuses. */
function useKeys({ box, list, rowPx }: Viewport): number {
  const active = useSignal(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined || !isFree(event)) return;
      event.preventDefault();
      const element = box.current;
      const isInside = element?.contains(document.activeElement) ?? false;
      const last = list.rows.value.length - 1;
      if (element === null || last < 0) return;
      const index = isInside ? Math.max(0, Math.min(last, active.value + step)) : Math.max(0, Math.min(last, active.value));
      active.value = index;
      const top = index * rowPx;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowPx > element.scrollTop + element.clientHeight) element.scrollTop = top + rowPx - element.clientHeight;
      requestAnimationFrame(() =>
        requestAnimationFrame(() => element.querySelector<HTMLElement>(`[aria-rowindex="${index + 2}"] a`)?.focus()),
      );
    };
    const onFocus = (event: FocusEvent): void => {
      const row = event.target instanceof HTMLElement ? event.target.closest("[aria-rowindex]") : null;
      if (row !== null) active.value = Number(row.getAttribute("aria-rowindex")) - 2;
    };
    const element = box.current;
    addEventListener("keydown", onKey);
    element?.addEventListener("focusin", onFocus);
    return () => {
      removeEventListener("keydown", onKey);
      element?.removeEventListener("focusin", onFocus);
    };
  }, [list, rowPx]);
  return active.value;
}
