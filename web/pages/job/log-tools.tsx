import { useEffect, useRef, useState } from "preact/hooks";
import type { WholeJob } from "../../../src/client/index.ts";
import { copy } from "../../parts/copy.tsx";
import { goTo, hrefs } from "../../route.ts";
import { bytesText, isActive } from "../../service/format.ts";
import { Download } from "./download.tsx";
import type { OutputView } from "./output-view.ts";

const typingMs = 250;

/** Search, and settings of the log. */
export function LogTools({ view, job }: { view: OutputView; job: WholeJob }) {
  const size = view.output.sizeBytes.value;
  return (
    <div class="log-tools row">
      <h2>Output</h2>
      <span class="muted">{size === null ? "" : bytesText(size)}</span>
      <Search view={view} />
      <span class="grow" />
      <button class="small" aria-pressed={view.isWrapped.value} onClick={() => (view.isWrapped.value = !view.isWrapped.value)} title="w">
        Wrap
      </button>
      <button class="small" aria-pressed={view.hasTimes.value} onClick={() => (view.hasTimes.value = !view.hasTimes.value)} title="t">
        Times
      </button>
      {isActive(job) && (
        <button class="small" aria-pressed={view.window.isFollowing.value} onClick={() => view.window.toggleFollowing()} title="f">
          Follow
        </button>
      )}
      <button class="small" onClick={() => view.window.toStart()} aria-label="Go to the start">
        ⤒
      </button>
      <button class="small" onClick={() => view.window.toEnd()} aria-label="Go to the end">
        ⤓
      </button>
      <button
        class="small"
        onClick={() => void view.copy()}
        title={view.selection.range.value === null ? "Copy the output" : "Copy what is selected"}
      >
        Copy
      </button>
      {view.selection.range.value !== null && (
        <button class="small" onClick={() => linkSelected(view, job)} title="Copy a link to the selected lines">
          Link
        </button>
      )}
      <Download job={job} />
    </div>
  );
}

/** The address of the selected lines becomes the page's own, and goes to the clipboard. */
function linkSelected(view: OutputView, job: WholeJob): void {
  goTo(hrefs.job(job.ID, view.selectedLines));
  void copy(location.href, "Link to the lines");
}

function Search({ view }: { view: OutputView }) {
  const [text, setText] = useState("");
  const [isCaseSensitive, setCaseSensitive] = useState(false);
  const wasWanted = useRef(false);
  const { search } = view;
  const show = (offsetBytes: number): void => view.toOffset(offsetBytes);
  useEffect(() => {
    if (text === "" && !wasWanted.current) return undefined;
    wasWanted.current = true;
    const nearBytes = view.window.frame.peek().rows[0]?.offsetBytes ?? 0;
    const timer = setTimeout(() => void search.start({ text, isCaseSensitive }, { nearBytes, onFound: show }), typingMs);
    return () => clearTimeout(timer);
  }, [text, isCaseSensitive, view]);
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter") search.go(event.shiftKey ? -1 : 1, show);
    else if (event.key === "Escape") setText("");
    else return;
    event.preventDefault();
  };
  return (
    <div class="row search" role="search">
      <input
        data-search
        type="search"
        class="small"
        placeholder="Search   /"
        aria-label="Search in the output"
        maxLength={200}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      <button
        class="small plain"
        aria-pressed={isCaseSensitive}
        onClick={() => setCaseSensitive(!isCaseSensitive)}
        title="Match case"
        aria-label="Match case"
      >
        Aa
      </button>
      {text !== "" && (
        <>
          <span class="muted" role="status">
            {wordsOf(view)}
          </span>
          <button class="small plain" onClick={() => search.go(-1, show)} aria-label="Previous match">
            ↑
          </button>
          <button class="small plain" onClick={() => search.go(1, show)} aria-label="Next match">
            ↓
          </button>
        </>
      )}
    </div>
  );
}

function wordsOf({ search, output }: OutputView): string {
  const { value: progress } = search.progress;
  const count = search.matches.value.length;
  const { value: current } = search.current;
  const position = count === 0 ? "" : current === -1 ? `${count} found` : `${current + 1} of ${count}`;
  switch (progress.kind) {
    case "idle":
      return "";
    case "searching":
      return `${position}… ${Math.floor((100 * progress.atBytes) / Math.max(1, output.sizeBytes.value ?? 1))} %`;
    case "done":
      return count === 0 ? "nothing found" : progress.isCut ? `${position} and more` : position;
    case "failed":
      return progress.problem;
  }
}
