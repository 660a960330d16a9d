import { useEffect, useRef, useState } from "preact/hooks";
import type { JobState } from "../../../src/client/index.ts";
import type { Filter } from "./filter.ts";

const choices: { word: string; states: JobState[] }[] = [
  { word: "queued", states: ["Queued"] },
  { word: "running", states: ["Starting", "Running", "Stopping"] },
  { word: "succeeded", states: ["Succeeded"] },
  { word: "failed", states: ["Failed"] },
  { word: "timed out", states: ["TimedOut"] },
  { word: "killed", states: ["Killed"] },
  { word: "lost", states: ["Lost"] },
];

const typingMs = 200;

/** Filters by state, text and label. */
export function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const { states, labels } = filter;
  const toggle = (own: JobState[]): void => {
    const isOn = own.some((state) => states.includes(state));
    onChange({ ...filter, states: isOn ? states.filter((state) => !own.includes(state)) : [...states, ...own] });
  };
  return (
    <div class="filters row grow" role="search">
      <TextFilter filter={filter} onChange={onChange} />
      <div class="chips" role="group" aria-label="States">
        {choices.map(({ word, states: own }) => (
          <button key={word} class="small" aria-pressed={own.some((state) => states.includes(state))} onClick={() => toggle(own)}>
            {word}
          </button>
        ))}
      </div>
      <LabelFilter labels={labels} onChange={(wanted) => onChange({ ...filter, labels: wanted })} />
    </div>
  );
}

/** Applied when the user pauses typing. */
function TextFilter({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const [text, setText] = useState(filter.text);
  const latest = useRef({ filter, onChange });
  latest.current = { filter, onChange };
  useEffect(() => setText(filter.text), [filter.text]);
  useEffect(() => {
    const timer = setTimeout(() => {
      const { filter: current, onChange: change } = latest.current;
      if (text.trim() !== current.text) change({ ...current, text: text.trim() });
    }, typingMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input
      data-search
      type="search"
      class="text-filter"
      placeholder="Name, ID or label   /"
      aria-label="Filter by name, ID or label"
      maxLength={200}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

function LabelFilter({ labels, onChange }: { labels: string[]; onChange: (labels: string[]) => void }) {
  const [text, setText] = useState("");
  const add = (event: Event): void => {
    event.preventDefault();
    if (text.trim() !== "") onChange([...new Set([...labels, text.trim()])]);
    setText("");
  };
  return (
    <form class="row label-filter" onSubmit={add}>
      <input
        class="small"
        placeholder="label=value"
        aria-label="Filter by a label: key or key=value, then Enter"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {labels.map((label) => (
        <button
          key={label}
          type="button"
          class="small"
          aria-pressed="true"
          aria-label={`Label ${label}: remove filter`}
          onClick={() => onChange(labels.filter((one) => one !== label))}
        >
          {label} ✕
        </button>
      ))}
    </form>
  );
}
