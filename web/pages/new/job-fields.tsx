import { AreaField, ChoiceField, TextField } from "./field.tsx";
import type { Fields, Pair } from "./fields.ts";
import { Pairs } from "./pairs.tsx";

const signals = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL"];

/** One of the many others, in a job that is taken as a beginning, is a choice too. */
function signalsWith(name: string): string[] {
  return name === "" || signals.includes(name) ? signals : [...signals, name];
}

/** What is said of a job as a whole. */
export function JobFields({ fields, onFields }: { fields: Fields; onFields: (fields: Fields) => void }) {
  const set = (part: Partial<Fields>): void => onFields({ ...fields, ...part });
  return (
    <>
      <div class="fields">
        <TextField path="Name" label="Name" value={fields.name} onValue={(name) => set({ name })} />
        <TextField
          path="WorkingDir"
          label="Working directory"
          hint="absolute, or relative to the job's workspace"
          value={fields.workingDir}
          onValue={(workingDir) => set({ workingDir })}
          isMono
        />
        <TextField
          path="TimeoutSeconds"
          label="Timeout in seconds"
          hint={durationHint(fields.timeoutSeconds)}
          value={fields.timeoutSeconds}
          onValue={(timeoutSeconds) => set({ timeoutSeconds })}
        />
        <TextField
          path="IdleTimeoutSeconds"
          label="Timeout without output, in seconds"
          hint={durationHint(fields.idleTimeoutSeconds)}
          value={fields.idleTimeoutSeconds}
          onValue={(idleTimeoutSeconds) => set({ idleTimeoutSeconds })}
        />
      </div>
      <div class="fields wide">
        <Pairs
          path="Environment"
          label="Environment"
          what="Variable"
          pairs={fields.environment}
          onPairs={(environment) => set({ environment })}
        />
        <Pairs path="Labels" label="Labels" what="Label" pairs={fields.labels} onPairs={(labels) => set({ labels })} />
      </div>
      <details open={fields.secrets.length > 0}>
        <summary>Secrets, stopping, standard input, user</summary>
        <SecretFields secrets={fields.secrets} onSecrets={(secrets) => set({ secrets })} />
        <div class="fields">
          <ChoiceField
            path="StopSignal"
            label="Stop signal"
            value={fields.stopSignal}
            onValue={(stopSignal) => set({ stopSignal })}
            choices={[["", "SIGTERM (default)"], ...signalsWith(fields.stopSignal).map((name): [string, string] => [name, name])]}
          />
          <TextField
            path="StopTimeoutSeconds"
            label="Grace period before SIGKILL, in seconds"
            value={fields.stopTimeoutSeconds}
            onValue={(stopTimeoutSeconds) => set({ stopTimeoutSeconds })}
            placeholder="10"
          />
          <TextField
            path="DrainTimeoutSeconds"
            label="Time for background filters to write their last output, in seconds"
            value={fields.drainTimeoutSeconds}
            onValue={(drainTimeoutSeconds) => set({ drainTimeoutSeconds })}
            placeholder="2"
          />
          <TextField
            path="User"
            label="User"
            hint="if the service runs as root and allows it"
            value={fields.user}
            onValue={(user) => set({ user })}
          />
        </div>
        <AreaField
          path="Stdin"
          label="Standard input of the first step"
          value={fields.stdin}
          onValue={(stdin) => set({ stdin })}
          rows={2}
        />
      </details>
    </>
  );
}

export function SecretFields({ secrets, onSecrets }: { secrets: Pair[]; onSecrets: (secrets: Pair[]) => void }) {
  return (
    <Pairs
      path="Secrets"
      label="Secrets"
      what="Secret"
      hint="environment variables whose values are masked in the output and never shown again"
      pairs={secrets}
      onPairs={onSecrets}
      isSecret
    />
  );
}

/** So that 36000 is seen to be ten hours. */
function durationHint(text: string): string {
  const seconds = Number(text);
  if (text.trim() === "" || Number.isNaN(seconds)) return "empty: no standard input";
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1).replace(/\.0$/, "")} min` : `${(seconds / 3600).toFixed(1).replace(/\.0$/, "")} h`;
}
