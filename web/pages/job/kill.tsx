import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { WholeJob } from "../../../src/client/index.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { sayProblem } from "../../parts/toasts.tsx";
import { useKnown } from "../../parts/use-known.ts";
import { nowMs } from "../../service/clock.ts";
import { isActive, titleOf } from "../../service/format.ts";

const defaultGraceSeconds = 10;

/** Explains a kill before the user confirms it, and then shows its progress. */
export function KillDialog({ job, onClose }: { job: WholeJob; onClose: () => void }) {
  const { client } = useKnown();
  const askedMs = useSignal<number | null>(null);
  const { StopSignal = "SIGTERM", StopTimeoutSeconds: graceSeconds = defaultGraceSeconds, Commands = [] } = job.Spec;
  const later = Commands.filter(({ RunOn }, index) => RunOn === "always" && job.Steps[index]?.State === "Pending").length;
  const kill = async (isForced: boolean): Promise<void> => {
    askedMs.value ??= nowMs.peek();
    try {
      await client.kill(job.ID, { isForced });
      onClose();
    } catch (error) {
      sayProblem(error);
    }
  };
  useEffect(() => {
    if (!isActive(job)) onClose(); // it ended by itself
  }, [job]);
  const isStopping = askedMs.value !== null || job.State === "Stopping";
  const leftSeconds = askedMs.value === null ? null : Math.max(0, graceSeconds - Math.floor((nowMs.value - askedMs.value) / 1000));
  return (
    <Dialog title={`Kill ${titleOf(job)}?`} onClose={onClose}>
      <p>
        {StopSignal === "SIGKILL"
          ? "All of its processes get SIGKILL now."
          : `${StopSignal} goes to all of its processes, and SIGKILL after ${graceSeconds} s to those that are left.`}{" "}
        {later > 0 && `${later === 1 ? "A step" : `${later} steps`} that always ${later === 1 ? "runs" : "run"} will still run.`}
      </p>
      <p class="muted">“Kill at once” sends SIGKILL now and runs no further step.</p>
      {isStopping && (
        <p role="status" class="notice warn">
          {leftSeconds === null
            ? "The job is stopping."
            : leftSeconds > 0
              ? `Stop requested: SIGKILL in ${leftSeconds} s.`
              : "Waiting until all its processes have ended."}
        </p>
      )}
      {job.WaitsFor !== null && <p class="notice warn">It {job.Message}</p>}
      <div class="actions">
        <button onClick={onClose}>{isStopping ? "Close" : "Cancel"}</button>
        <button class={isStopping ? "danger" : ""} onClick={() => void kill(true)}>
          Kill at once
        </button>
        {!isStopping && (
          <button class="danger" onClick={() => void kill(false)}>
            Kill
          </button>
        )}
      </div>
    </Dialog>
  );
}
