import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Job, WholeJob } from "../../../src/client/index.ts";
import { isFree } from "../../keys.tsx";
import { ScrollBox } from "../../output/scroll-box.ts";
import { Guarded } from "../../parts/guarded.tsx";
import { useKnown } from "../../parts/use-known.ts";
import { goTo, hrefs, type LogTarget } from "../../route.ts";
import { isActive } from "../../service/format.ts";
import { type Found, LogRow } from "./log-row.tsx";
import { showSelection, useSelecting } from "./log-selecting.ts";
import { LogTools } from "./log-tools.tsx";
import { OutputView } from "./output-view.ts";

type LogProps = { view: OutputView; job: WholeJob; target: LogTarget | null };

/** The output of a job. Only the rows on the screen are in the document. */
export function Log({ job, target, onFinished }: { job: WholeJob; target: LogTarget | null; onFinished: (job: Job) => void }) {
  const { client } = useKnown();
  const view = useMemo(() => new OutputView({ client, id: job.ID }), [client, job.ID]);
  useEffect(() => view.start(onFinished), [view, onFinished]);
  useEffect(() => view.know(job), [view, job]);

  const box = useRef<HTMLDivElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => view.showTarget(target), [view, target]);
  useSizes({ view, box, ruler, stepPx: job.Steps.length > 1 ? headerPx : null });
  const scrollBox = useScrolling({ view, box });
  useLogKeys({ view, box });
  useSelecting({ view, box });
  const problem = view.window.problem.value ?? view.output.problem.value;
  return (
    <section class="log card" aria-label="Output">
      <Guarded what="The search">
        <LogTools view={view} job={job} />
      </Guarded>
      {problem !== null && (
        <p class="notice bad" role="alert">
          Could not read the output: {problem}{" "}
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
        aria-label="Output lines"
      >
        <span ref={ruler} class="ruler" aria-hidden="true">
          {"0".repeat(100)}
        </span>
        <Empty view={view} job={job} />
        <Lines view={view} job={job} target={target} scrollBox={scrollBox} />
      </div>
      <End view={view} job={job} />
    </section>
  );
}

function Lines({ view, job, target, scrollBox }: LogProps & { scrollBox: RefObject<ScrollBox | null> }) {
  const lines = useRef<HTMLDivElement>(null);
  const { heightPx, topPx, rows, scrollTopPx, isLoading } = view.window.frame.value;
  const { value: folds } = view.folds;
  useLayoutEffect(() => {
    scrollBox.current?.scrollTo(scrollTopPx);
    if (lines.current === null) return;
    if (view.isWrapped.value) measure(view, lines.current);
    const box = lines.current.closest<HTMLElement>(".log-box");
    if (box !== null) showSelection(view, box);
  });
  const onLink = useCallback(
    (event: MouseEvent, offsetBytes: number): void => {
      const first = view.chosen;
      if (!event.shiftKey || first === null) return;
      event.preventDefault(); // browsers open a window
      const [start, end] = [Math.min(first, offsetBytes), Math.max(first, offsetBytes)];
      goTo(hrefs.job(job.ID, { kind: "byte", offsetBytes: start, lastBytes: end }));
    },
    [view, job.ID],
  );
  return (
    <div class="log-space" style={{ height: `${heightPx}px` }}>
      {isLoading && <p class="log-loading muted">Loading output…</p>}
      <div ref={lines} class="log-lines" style={{ transform: `translateY(${topPx}px)` }}>
        {rows.map((row) => (
          <LogRow
            key={row.key}
            row={row}
            job={job}
            isFolded={row.kind === "step" && folds.has(row.step)}
            found={foundIn(view)}
            chosen={target}
            onLink={onLink}
            onFold={(step) => void view.toggleFold(step)}
          />
        ))}
      </div>
    </div>
  );
}

function foundIn({ search }: OutputView): Found | null {
  const { value: text } = search.text;
  if (text === "") return null;
  return { text, isCaseSensitive: search.isCaseSensitive.value, atBytes: search.matches.value[search.current.value] ?? null };
}

/** Corrects the heights of wrapped rows. An estimate is wrong where characters are wider or narrower than most. */
function measure(view: OutputView, lines: HTMLElement): void {
  const { rows } = view.window.frame.value;
  const wrong = new Map<string, number>();
  for (const [index, element] of [...lines.children].entries()) {
    const row = rows[index];
    if (row === undefined || !(element instanceof HTMLElement)) continue;
    const { height } = element.getBoundingClientRect();
    if (Math.abs(height - view.window.heightOf(row)) > 0.5) wrong.set(row.key, height);
  }
  if (wrong.size > 0) view.window.measure(wrong);
}

type Elements = { view: OutputView; box: RefObject<HTMLDivElement | null> };

const rowPx = 20;
const headerPx = 34;
/** As in the style sheet: the width of everything beside the text, without times, and the width of a time. */
const besidePx = 44;
const timePx = 108;

function useSizes({ view, box, ruler, stepPx }: Elements & { ruler: RefObject<HTMLSpanElement | null>; stepPx: number | null }): void {
  const isWrapped = view.isWrapped.value;
  const hasTimes = view.hasTimes.value;
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measureBox = (): void => {
      const characterPx = (ruler.current?.getBoundingClientRect().width ?? 800) / 100;
      const textPx = element.clientWidth - besidePx - (hasTimes ? timePx : 0);
      const columns = isWrapped ? Math.max(10, Math.floor(textPx / characterPx)) : null;
      view.window.resize(element.clientHeight, { rowPx, stepPx, columns });
    };
    const observer = new ResizeObserver(measureBox);
    observer.observe(element);
    measureBox();
    return () => observer.disconnect();
  }, [view, isWrapped, hasTimes, stepPx]);
}

function useScrolling({ view, box }: Elements): RefObject<ScrollBox | null> {
  const scrollBox = useRef<ScrollBox>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const own = new ScrollBox(element, view.window);
    scrollBox.current = own;
    own.scrollTo(view.window.frame.peek().scrollTopPx);
    const onScroll = (): void => own.onScroll();
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [view]);
  return scrollBox;
}

function useLogKeys({ view, box }: Elements): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!isFree(event)) return;
      const isInside = box.current?.contains(document.activeElement) ?? false;
      if (event.key === "f") view.window.toggleFollowing();
      else if (event.key === "w") view.isWrapped.value = !view.isWrapped.value;
      else if (event.key === "t") view.hasTimes.value = !view.hasTimes.value;
      else if (event.key === "End" && isInside) view.window.toEnd();
      else if (event.key === "Home" && isInside) view.window.toStart();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [view]);
}

/** At the top of the output: that its size is not known yet, or why it is empty. */
function Empty({ view, job }: { view: OutputView; job: WholeJob }) {
  const { value: sizeBytes } = view.output.sizeBytes;
  if (sizeBytes === null) return <p class="log-empty muted">Loading output…</p>;
  if (sizeBytes > 0) return null;
  return (
    <p class="log-empty muted">
      {job.State === "Queued" ? "The job is queued." : isActive(job) ? "No output yet." : "The job wrote no output."}
    </p>
  );
}

/** Below the output: the button to follow it. */
function End({ view, job }: { view: OutputView; job: WholeJob }) {
  return (
    <div class="log-end">
      {isActive(job) && !view.window.isFollowing.value && (
        <button class="primary follow" onClick={() => view.window.toEnd()}>
          ↓ Follow output
        </button>
      )}
    </div>
  );
}
