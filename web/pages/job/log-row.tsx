import { Component } from "preact";
import type { WholeJob } from "../../../src/client/index.ts";
import { lookOf } from "../../output/contrast.ts";
import type { Row } from "../../output/rows.ts";
import type { Run } from "../../output/styles.ts";
import { StateMark } from "../../parts/state.tsx";
import { hrefs, type LogTarget } from "../../route.ts";
import { isUnfinished } from "../../../src/lib/ending.ts";
import { bytesText, clockText, exactTime, exitText, tookText } from "../../service/format.ts";
import { markedRuns } from "./marks.ts";
import { nameOf } from "./timeline.tsx";

export type Found = { text: string; isCaseSensitive: boolean; atBytes: number | null };

type LogRowProps = {
  row: Row;
  job: WholeJob;
  isFolded: boolean;
  found: Found | null;
  chosen: LogTarget | null;
  onLink: (event: MouseEvent, offsetBytes: number) => void;
  onFold: (step: number) => void;
};

export function LogRow({ row, job, isFolded, found, chosen, onLink, onFold }: LogRowProps) {
  switch (row.kind) {
    case "step":
      return <StepRow step={row.step} job={job} isFolded={isFolded} onFold={onFold} />;
    case "lost":
      return (
        <div class="log-row is-lost" role="note">
          {bytesText(row.lostBytes)} of output could not be kept here
        </div>
      );
    case "line": {
      const { offsetBytes, endBytes } = row.line;
      const isIn = (bytes: number | null): boolean => bytes !== null && bytes >= offsetBytes && bytes < endBytes;
      return (
        <LineRow
          row={row}
          id={job.ID}
          found={found?.text ?? null}
          isCaseSensitive={found?.isCaseSensitive ?? false}
          isFound={isIn(found?.atBytes ?? null)}
          isChosen={chosen?.kind === "byte" && chosen.lastBytes >= offsetBytes && chosen.offsetBytes < endBytes}
          onLink={onLink}
        />
      );
    }
  }
}

function StepRow({ step, job, isFolded, onFold }: { step: number; job: WholeJob; isFolded: boolean; onFold: (step: number) => void }) {
  const view = job.Steps[step - 1];
  if (view === undefined) return <div class="log-step" />;
  const took = isUnfinished(view) ? "" : tookText(view, 0);
  return (
    <div class="log-step">
      <button class="plain small" aria-expanded={!isFolded} onClick={() => onFold(step)}>
        <span aria-hidden="true">{isFolded ? "▸" : "▾"}</span>
        <span class="muted">{step}</span> <span class="step-title">{nameOf(view, job)}</span>
      </button>
      <StateMark state={view.State} />
      <span class="muted">{[view.State === "Succeeded" ? "" : exitText(view), took].filter((text) => text !== "").join(" · ")}</span>
      {isFolded && <span class="muted">folded{view.OutputBytes === null ? "" : `: ${bytesText(view.OutputBytes)}`}</span>}
    </div>
  );
}

type LineRowProps = {
  row: Extract<Row, { kind: "line" }>;
  id: string;
  found: string | null;
  isCaseSensitive: boolean;
  isFound: boolean;
  isChosen: boolean;
  onLink: (event: MouseEvent, offsetBytes: number) => void;
};

type LineRowState = { hasFailed: boolean };

/**
 * A line with unchanged marks is not drawn again, which saves most of the work while scrolling. A line whose styles or marks cannot be
 * drawn is shown as plain text, so that the other lines stay.
 */
class LineRow extends Component<LineRowProps, LineRowState> {
  override state: LineRowState = { hasFailed: false };

  static override getDerivedStateFromError(): LineRowState {
    return { hasFailed: true };
  }

  override shouldComponentUpdate(next: LineRowProps, { hasFailed }: LineRowState): boolean {
    const { row, found, isCaseSensitive, isFound, isChosen } = this.props;
    return (
      hasFailed !== this.state.hasFailed ||
      row.line !== next.row.line ||
      found !== next.found ||
      isCaseSensitive !== next.isCaseSensitive ||
      isFound !== next.isFound ||
      isChosen !== next.isChosen
    );
  }

  render(props: LineRowProps, { hasFailed }: LineRowState) {
    if (!hasFailed) return <Line {...props} />;
    return (
      <div class="log-row">
        <code>{props.row.line.runs.map(({ text }) => text).join("")}</code>
      </div>
    );
  }
}

function Line({ row, id, found, isCaseSensitive, isFound, isChosen, onLink }: LineRowProps) {
  const { offsetBytes, time, runs, hasStderr } = row.line;
  const shown = found === null ? runs.map((run) => ({ run, isMarked: false })) : markedRuns(runs, { text: found, isCaseSensitive });
  return (
    <div class={`log-row ${hasStderr ? "has-stderr" : ""} ${isChosen ? "is-chosen" : ""} ${isFound ? "is-found" : ""}`}>
      <a
        class="log-link"
        href={hrefs.job(id, { kind: "byte", offsetBytes, lastBytes: offsetBytes })}
        onClick={(event) => onLink(event, offsetBytes)}
        tabIndex={-1}
        title={`${hasStderr ? "Standard error. " : ""}Link to this line (byte ${offsetBytes}); with Shift, to all lines up to this`}
        aria-label={`Link to the line at byte ${offsetBytes}`}
      >
        {hasStderr ? "!" : "¶"}
      </a>
      {/* Written by the style sheet, so that it is not copied with the text. */}
      <time
        class="log-time"
        dateTime={time ?? undefined}
        data-time={time === null ? "" : clockText(time)}
        title={time === null ? undefined : exactTime(time)}
      />
      <code data-at={offsetBytes}>
        {hasStderr && <span class="unseen">standard error: </span>}
        {shown.map(({ run, isMarked }, index) => (
          <Text key={index} run={run} isMarked={isMarked} />
        ))}
      </code>
    </div>
  );
}

function Text({ run: { text, isStderr, style, link }, isMarked }: { run: Run; isMarked: boolean }) {
  const own = isMarked ? <mark>{text}</mark> : text;
  const shown =
    link === null ? (
      own
    ) : (
      <a class="output-link" href={link} title={link} target="_blank" rel="noopener noreferrer">
        {own}
      </a>
    );
  if (style === null && !isStderr) return <>{shown}</>;
  const { color, backgroundColor } = lookOf(style, { isStderr });
  const names = style === null ? [] : [...style.decorations].map((one) => `is-${one}`);
  // Set by script, which the page's content security policy permits; a style in HTML would not be.
  const css = { ...(color === null ? {} : { color }), ...(backgroundColor === null ? {} : { backgroundColor }) };
  return (
    <span class={`${isStderr ? "stderr " : ""}${names.join(" ")}`} style={css}>
      {shown}
    </span>
  );
}
