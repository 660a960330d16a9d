import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Job, WholeJob } from "../../../src/client/index.ts";
import { isFree } from "../../keys.tsx";
import type { Metrics } from "../../output/rows.ts";
import { useKnown } from "../../parts/use-known.ts";
import type { LogTarget } from "../../route.ts";
import { isActive } from "../../service/format.ts";
import { LogRow } from "./log-row.tsx";
import { LogTools } from "./log-tools.tsx";
import { OutputView } from "./output-view.ts";

type LogProps = { view: OutputView; job: WholeJob; target: LogTarget | null };

/** The output of a job, of which only what is seen exists. */
export function Log({ job, target, onFinished }: { job: WholeJob; target: LogTarget | null; onFinished: (job: Job) => void }) {
  const { client } = useKnown();
  const view = useMemo(() => new OutputView({ client, id: job.ID }), [client, job.ID]);
  useEffect(() => view.start(onFinished), [view, onFinished]);
  useEffect(() => view.know(job), [view, job]);

  const box = useRef<HTMLDivElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  const seenPx = useRef(0);
  useLayoutEffect(() => view.showTarget(target), [view, target]);
  useSizes({ view, box, ruler, stepPx: job.Steps.length > 1 ? headPx : null });
  useScrolling({ view, box, seenPx });
  useLogKeys({ view, box });
  const problem = view.window.problem.value ?? view.output.problem.value;
  return (
    <section class="log card" aria-label="Output">
      <LogTools view={view} job={job} />
      {problem !== null && (
        <p class="notice bad" role="alert">
          The output could not be read: {problem}{" "}
          <button class="small" onClick={() => view.tryAgain()}>
            Try again
          </button>
        </p>
      )}
      <div
        ref={box}
        class={`log-box ${view.isWrapped.value ? "is-wrapped" : ""} ${view.hasTimes.value ? "has-times" : ""}`}
        tabIndex={0}
        role="region"
        aria-label="Lines of output"
      >
        <span ref={ruler} class="ruler" aria-hidden="true">
          {"0".repeat(100)}
        </span>
        <Lines view={view} job={job} target={target} box={box} seenPx={seenPx} />
      </div>
      <End view={view} job={job} />
    </section>
  );
}

function Lines({ view, job, target, box, seenPx }: LogProps & Pick<Elements, "box"> & { seenPx: { current: number } }) {
  const lines = useRef<HTMLDivElement>(null);
  const { heightPx, topPx, rows, scrollTopPx, isLoading } = view.window.frame.value;
  const { value: folds } = view.folds;
  const { value: wanted } = view.search.text;
  const found =
    wanted === ""
      ? null
      : {
          text: wanted,
          isCaseSensitive: view.search.isCaseSensitive.value,
          atBytes: view.search.matches.value[view.search.current.value] ?? null,
        };
  useLayoutEffect(() => {
    if (box.current !== null) seenPx.current = apply(box.current, { scrollTopPx, seenPx: seenPx.current });
    if (view.isWrapped.value && lines.current !== null) measure(view, lines.current);
  });
  return (
    <div class="log-space" style={{ height: `${heightPx}px` }}>
      {isLoading && <p class="log-loading muted">…</p>}
      <div ref={lines} class="log-lines" style={{ transform: `translateY(${topPx}px)` }}>
        {rows.map((row) => (
          <LogRow
            key={row.key}
            row={row}
            job={job}
            isFolded={row.kind === "step" && folds.has(row.step)}
            found={found}
            atBytes={target?.kind === "byte" ? target.offsetBytes : null}
            onFold={(step) => void view.toggleFold(step)}
          />
        ))}
      </div>
    </div>
  );
}

/** Rows that turn out higher or lower than they were estimated: characters are not all of one width. */
function measure(view: OutputView, lines: HTMLElement): void {
  const { rows } = view.window.frame.value;
  const wrong = new Map<string, number>();
  for (const [index, element] of [...lines.children].entries()) {
    const row = rows[index];
    if (row === undefined || !(element instanceof HTMLElement)) continue;
    const { height } = element.getBoundingClientRect();
    if (Math.abs(height - view.window.heightOf(row)) > 0.5) wrong.set(row.key, height);
  }
  if (wrong.size > 0) view.window.measured(wrong);
}

type Elements = { view: OutputView; box: { current: HTMLDivElement | null } };

const rowPx = 20;
const headPx = 34;
/** Browsers round where they scroll to. */
const roundingPx = 1.5;
/** As in the style sheet: what is beside the text, without times and with them. */
const besidePx = 44;
const timePx = 108;

function useSizes({ view, box, ruler, stepPx }: Elements & { ruler: { current: HTMLSpanElement | null }; stepPx: number | null }): void {
  const isWrapped = view.isWrapped.value;
  const hasTimes = view.hasTimes.value;
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const look = (): void => {
      const characterPx = (ruler.current?.getBoundingClientRect().width ?? 800) / 100;
      const textPx = element.clientWidth - besidePx - (hasTimes ? timePx : 0);
      const metrics: Metrics = { rowPx, stepPx, columns: isWrapped ? Math.max(10, Math.floor(textPx / characterPx)) : null };
      view.window.resize(element.clientHeight, metrics);
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    look();
    return () => observer.disconnect();
  }, [view, isWrapped, hasTimes, stepPx]);
}

/** Tells the window when somebody scrolled: what it scrolled itself is where it was last seen, whatever is to be drawn by now. */
function useScrolling({ view, box, seenPx }: Elements & { seenPx: { current: number } }): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const onScroll = (): void => {
      const movedPx = movedSince(element, seenPx.current);
      // Where nobody has scrolled yet: who scrolls by less than is told from rounding at a time has scrolled after some of them.
      seenPx.current = movedPx === 0 ? Math.min(seenPx.current, lowestPx(element)) : element.scrollTop;
      if (movedPx === 0) return;
      const isAtBottom = element.scrollTop >= lowestPx(element) - 2;
      if (isAtBottom && movedPx > 0) void view.window.toEnd();
      else view.window.scrolled(element.scrollTop);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [view]);
}

/**
 * Scrolls as the window wants it, when the rows are there and before they are seen; gives where it is then as far as the window is concerned. If somebody has
 * scrolled since it was last seen, of which the window will hear only now, that is kept.
 */
function apply(element: HTMLElement, { scrollTopPx, seenPx }: { scrollTopPx: number; seenPx: number }): number {
  const movedPx = movedSince(element, seenPx);
  const wantedPx = scrollTopPx + movedPx;
  if (Math.abs(element.scrollTop - wantedPx) < roundingPx) return scrollTopPx; // with it, what is no more than that is told from nothing when it grows
  element.scrollTop = wantedPx;
  return element.scrollTop - movedPx;
}

/** By somebody; not by the browser, since what is shown is less than it was or the place for it larger. */
function movedSince(element: HTMLElement, seenPx: number): number {
  const movedPx = element.scrollTop - Math.min(seenPx, lowestPx(element));
  return Math.abs(movedPx) < roundingPx ? 0 : movedPx;
}

function lowestPx({ scrollHeight, clientHeight }: HTMLElement): number {
  return scrollHeight - clientHeight;
}

function useLogKeys({ view, box }: Elements): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!isFree(event)) return;
      const isInside = box.current?.contains(document.activeElement) ?? false;
      if (event.key === "f") void (view.window.isAtEnd.value ? view.window.scrolled(box.current?.scrollTop ?? 0) : view.window.toEnd());
      else if (event.key === "w") view.isWrapped.value = !view.isWrapped.value;
      else if (event.key === "t") view.hasTimes.value = !view.hasTimes.value;
      else if (event.key === "End" && isInside) void view.window.toEnd();
      else if (event.key === "Home" && isInside) void view.window.toStart();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [view]);
}

/** What stands below the output. */
function End({ view, job }: { view: OutputView; job: WholeJob }) {
  const sizeBytes = view.output.sizeBytes.value;
  const isActiveJob = isActive(job);
  const words =
    sizeBytes !== 0
      ? null
      : job.State === "Queued"
        ? "The job waits for its turn."
        : isActiveJob
          ? "No output yet."
          : "The job wrote nothing.";
  return (
    <div class="log-end">
      {words !== null && <p class="muted">{words}</p>}
      {isActiveJob && !view.window.isAtEnd.value && (
        <button class="primary follow" onClick={() => void view.window.toEnd()}>
          ↓ Follow the output
        </button>
      )}
    </div>
  );
}
