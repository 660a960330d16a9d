import { useState } from "preact/hooks";
import type { JobSpec, WholeJob } from "../../../src/client/index.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { say, sayProblem } from "../../parts/toasts.tsx";
import { useKnown } from "../../parts/use-known.ts";
import { goTo, hrefs } from "../../route.ts";
import { mayRun } from "../../service/session.ts";
import { isActive, titleOf } from "../../service/format.ts";
import { KillDialog } from "./kill.tsx";

/** Actions on a job, for users who are allowed to use them. */
export function Actions({ job }: { job: WholeJob }) {
  const known = useKnown();
  const { client } = known;
  const [open, setOpen] = useState<"kill" | "remove" | null>(null);
  const [isBusy, setBusy] = useState(false);
  if (!mayRun.value) return null;
  const again = async (): Promise<void> => {
    const spec = submittable(job);
    if (spec === null) return goTo(hrefs.new(job.ID)); // secrets must be entered again
    setBusy(true);
    try {
      goTo(hrefs.job(await client.submit(spec)));
    } catch (error) {
      sayProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const remove = async (): Promise<void> => {
    setOpen(null);
    try {
      await client.remove(job.ID);
      const { listOf } = await import("../jobs/lists.ts"); // the list was shown before, or it is now
      listOf(known).forget(job.ID);
      say(`${titleOf(job)} was removed`);
      goTo(hrefs.jobs(), { isQuiet: true });
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <div class="row actions" role="group" aria-label="Actions">
      <button disabled={isBusy} onClick={() => void again()}>
        Run again
      </button>
      <a class="button" href={hrefs.new(job.ID)}>
        Edit and run again
      </a>
      {isActive(job) ? (
        <button class="danger" onClick={() => setOpen("kill")}>
          {job.State === "Stopping" ? "Stopping…" : "Kill"}
        </button>
      ) : (
        <button onClick={() => setOpen("remove")}>Delete</button>
      )}
      {open === "kill" && <KillDialog job={job} onClose={() => setOpen(null)} />}
      {open === "remove" && (
        <Dialog title={`Delete ${titleOf(job)}?`} onClose={() => setOpen(null)}>
          <p>The job, its output and the files in its workspace are removed permanently.</p>
          <div class="actions">
            <button onClick={() => setOpen(null)}>Keep it</button>
            <button class="danger" onClick={() => void remove()}>
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** The spec as it was submitted; null if the service hides a part of it. */
function submittable({ Spec }: WholeJob): JobSpec | null {
  const { Secrets, Environment, Commands, ...rest } = Spec;
  if (Secrets !== undefined && Object.keys(Secrets).length > 0) return null;
  const shown = shownValues(Environment);
  const commands = Commands?.map(({ Environment: own, ...command }) => ({ command, own: shownValues(own) }));
  if (shown === null || commands?.some(({ own }) => own === null) === true) return null;
  return {
    ...rest,
    ...(Environment === undefined ? {} : { Environment: shown }),
    ...(commands === undefined
      ? {}
      : {
          Commands: commands.map(({ command, own }) =>
            own === null || Object.keys(own).length === 0 ? command : { ...command, Environment: own },
          ),
        }),
  };
}

function shownValues(values: Record<string, string | null> | undefined): Record<string, string> | null {
  const entries = Object.entries(values ?? {}).flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]));
  return entries.length === Object.keys(values ?? {}).length ? Object.fromEntries(entries) : null;
}
