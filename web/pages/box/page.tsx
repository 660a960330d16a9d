import { useEffect, useState } from "preact/hooks";
import type { Box, Diagnosis } from "../../../src/client/index.ts";
import { CopyButton } from "../../parts/copy.tsx";
import { Guarded } from "../../parts/guarded.tsx";
import { useTab } from "../../parts/use-tab.ts";
import { useKnown } from "../../parts/use-known.ts";
import { nowMs } from "../../service/clock.ts";
import { configuredSize } from "../../../src/lib/configured-size.ts";
import { elapsedMs } from "../../../src/lib/duration.ts";
import { bytesText, exactTime, tickingText } from "../../service/format.ts";
import { Findings } from "./findings.tsx";
import { Meter } from "./meter.tsx";
import "./style.css";

const refreshMs = 5000;

/** The machine on which jobs run, as the service sees it. */
export function BoxPage() {
  const { client, box: first } = useKnown();
  const [box, setBox] = useState<Box>(first);
  const [problem, setProblem] = useState<string | null>(null);
  useTab("Box");
  useEffect(() => {
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== "visible") return;
      try {
        setBox(await client.box());
        setProblem(null);
      } catch (error) {
        setProblem(error instanceof Error ? error.message : String(error));
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), refreshMs); // load and disk have no events
    return () => clearInterval(timer);
  }, [client]);
  return (
    <div class="page box">
      <h1>{box.Hostname}</h1>
      {problem !== null && (
        <p class="notice bad" role="alert">
          It could not be asked how the box is: {problem}
        </p>
      )}
      <div class="box-grid">
        <Guarded what="The service">
          <Service box={box} />
        </Guarded>
        <Guarded what="The use of the machine">
          <Use box={box} />
        </Guarded>
        <Guarded what="The limits">
          <Limits box={box} />
        </Guarded>
      </div>
      {box.You.Role === "admin" ? (
        <Doctor />
      ) : (
        <p class="muted">
          Only the role admin may see what <code>jobrunner doctor</code> finds.
        </p>
      )}
    </div>
  );
}

function Service({ box }: { box: Box }) {
  const { Version, NodeVersion, Kernel, User, StartedAt, You, Running, Queued, Containers, Cgroups, Database, Launcher } = box;
  const engine = Containers.Engine === null ? "none" : `${Containers.Engine} ${Containers.Version ?? ""}`;
  return (
    <section class="card" aria-labelledby="service-title">
      <h2 id="service-title">Service</h2>
      <dl>
        <Fact name="Version" value={`jobrunner ${Version}`} />
        <Fact name="Runs as" value={`${User}, Node.js ${NodeVersion}, Linux ${Kernel}`} />
        <Fact name="Up" value={upText(StartedAt)} title={exactTime(StartedAt)} />
        <Fact name="Jobs now" value={`${Running} running, ${Queued} queued`} />
        <Fact name="Containers" value={Containers.Problem === null ? engine : `${engine}: ${Containers.Problem}`} />
        <Fact name="Cgroups" value={Cgroups ?? "none can be made"} />
        <Fact name="Database" value={Database} />
        <Fact name="Launcher" value={Launcher} />
        <Fact name="You" value={`${You.Name}, role ${You.Role}${You.SeesOwnJobsAlone ? ", of your own jobs alone" : ""}`} />
      </dl>
    </section>
  );
}

function Use({ box: { Load, Memory, Disk } }: { box: Box }) {
  const [now = 0, fiveMinutes = 0, quarter = 0] = Load.Averages;
  return (
    <section class="card" aria-labelledby="use-title">
      <h2 id="use-title">Use</h2>
      <Meter
        name={`Load, of ${Load.CPUs} ${Load.CPUs === 1 ? "processor" : "processors"}`}
        share={now / Load.CPUs}
        words={`${now.toFixed(2)} now, ${fiveMinutes.toFixed(2)} in 5 min, ${quarter.toFixed(2)} in 15 min`}
      />
      <Share name="Memory" totalBytes={Memory.TotalBytes} availableBytes={Memory.AvailableBytes} />
      <Share name="Disk of the state directory" totalBytes={Disk.TotalBytes} availableBytes={Disk.AvailableBytes} />
      {Disk.AvailableBytes !== null && Disk.AvailableBytes < Disk.MinFreeBytes && (
        <p class="notice bad">Less is free than the {configuredSize(Disk.MinFreeBytes)} that must be: no job is accepted.</p>
      )}
    </section>
  );
}

function Share({ name, totalBytes, availableBytes }: { name: string; totalBytes: number | null; availableBytes: number | null }) {
  if (totalBytes === null || availableBytes === null) return <Meter name={name} share={null} words="not known" />;
  return (
    <Meter
      name={name}
      share={1 - availableBytes / Math.max(1, totalBytes)}
      words={`${bytesText(availableBytes)} free of ${bytesText(totalBytes)}`}
    />
  );
}

function Limits({ box: { Limits } }: { box: Box }) {
  return (
    <section class="card" aria-labelledby="limits-title">
      <h2 id="limits-title">Limits</h2>
      <dl>
        {Object.entries(Limits).map(([name, value]) => (
          <Fact
            key={name}
            name={wordsOf(name)}
            value={value === null ? "none" : name.endsWith("Bytes") ? configuredSize(value) : String(value)}
            title={value === null ? undefined : String(value)}
          />
        ))}
      </dl>
    </section>
  );
}

/** `MaxReadersPerJob` as "Max readers per job". "Bytes" is omitted, because the value has its unit. */
function wordsOf(name: string): string {
  const words = name
    .replace(/Bytes$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Fact({ name, value, title }: { name: string; value: string; title?: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title}>{value}</dd>
    </div>
  );
}

type Examination = { kind: "asking" } | { kind: "done"; diagnosis: Diagnosis } | { kind: "failed"; problem: string };

function Doctor() {
  const { client } = useKnown();
  const [state, setState] = useState<Examination>({ kind: "asking" });
  const examine = (): void => {
    setState({ kind: "asking" });
    client.findings().then(
      (diagnosis) => setState({ kind: "done", diagnosis }),
      (error: unknown) => setState({ kind: "failed", problem: error instanceof Error ? error.message : String(error) }),
    );
  };
  useEffect(examine, [client]);
  return (
    <section class="card" aria-labelledby="doctor-title">
      <div class="row">
        <h2 id="doctor-title">What the doctor finds</h2>
        <span class="grow" />
        {state.kind === "done" && <CopyButton text={JSON.stringify(state.diagnosis, null, 2)} what="what the doctor finds" />}
        <button class="small" aria-busy={state.kind === "asking"} onClick={() => state.kind !== "asking" && examine()}>
          Check again
        </button>
      </div>
      {state.kind === "asking" && (
        <p class="muted" role="status">
          Checking…
        </p>
      )}
      {state.kind === "failed" && (
        <p class="notice bad" role="alert">
          {state.problem}
        </p>
      )}
      {state.kind === "done" && <Findings diagnosis={state.diagnosis} />}
    </section>
  );
}

/** The time since the start; unknown if the clock was set back since. */
function upText(startedAt: string): string {
  const ms = elapsedMs({ StartedAt: startedAt, EndedAt: null }, nowMs.value);
  return ms === null ? "not known" : tickingText(ms);
}
