import type { Diagnosis } from "../../../src/client/index.ts";

const words = { ok: "fine", note: "could be better", problem: "does not work" } as const;

/** Problems first, then notes, then the rest. */
export function Findings({ diagnosis: { IsWell, Findings: findings } }: { diagnosis: Diagnosis }) {
  const order = Object.keys(words).toReversed();
  const sorted = findings.toSorted((a, b) => order.indexOf(a.Level) - order.indexOf(b.Level));
  return (
    <>
      <p role="status">{IsWell ? "Everything that is configured works." : "Something that is configured does not work."}</p>
      <ul class="findings">
        {sorted.map(({ Check, Level, Found, Remedy }, index) => (
          <li key={index} class={`is-${Level}`}>
            <span class="level">{words[Level]}</span>
            <strong>{Check}</strong>
            <span>
              {Found}
              {Remedy !== null && <span class="remedy">{Remedy}</span>}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
