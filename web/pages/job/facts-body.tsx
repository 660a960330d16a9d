import type { WholeJob } from "../../../src/client/index.ts";
import { CopyButton } from "../../parts/copy.tsx";
import { bytesText, exactTime } from "../../service/format.ts";

/** All other facts about a job. */
export function FactsBody({ job }: { job: WholeJob }) {
  const spec = JSON.stringify(job.Spec, null, 2);
  return (
    <div class="facts-body">
      <dl>
        {rowsOf(job).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="spec">
        <CopyButton text={spec} what="the job as JSON" />
        <pre tabIndex={0} aria-label="Submitted job">
          {spec}
        </pre>
      </div>
    </div>
  );
}

function rowsOf(job: WholeJob): [string, string][] {
  const { ID, Reason, ExitCode, Signal, SubmittedAt, StartedAt, EndedAt, OutputBytes, OutputLostBytes, Steps } = job;
  const time = (text: string | null): string | null => (text === null ? null : `${exactTime(text)} (${text})`);
  const cpuSeconds = Steps.reduce((sum, step) => sum + (step.CPUSeconds ?? 0), 0);
  const rows: [string, string | number | null][] = [
    ["ID", ID],
    ["Reason", Reason],
    ["Exit code", ExitCode],
    ["Signal", Signal],
    ["Submitted", time(SubmittedAt)],
    ["Started", time(StartedAt)],
    ["Ended", time(EndedAt)],
    ["Output", OutputBytes === null ? null : `${bytesText(OutputBytes)} (${OutputBytes} bytes)`],
    ["Output lost", OutputLostBytes === null ? "not known" : OutputLostBytes === 0 ? null : `${OutputLostBytes} bytes`],
    ["CPU time", cpuSeconds === 0 ? null : `${cpuSeconds.toFixed(2)} s`],
  ];
  return rows.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, String(value)]]));
}
