import { useState } from "preact/hooks";
import type { WholeJob } from "../../../src/client/index.ts";
import { Later } from "../../parts/later.tsx";

/** All other facts about a job, folded away at first. */
export function Facts({ job }: { job: WholeJob }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="facts" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Details and submitted job</summary>
      {isOpen && <Later load={async () => (await import("./facts-body.tsx")).FactsBody} props={{ job }} />}
    </details>
  );
}
