import { useKnown } from "../../parts/use-known.ts";
import { AreaField, ChoiceField, TextField } from "./field.tsx";
import type { StepFields } from "./fields.ts";
import { Pairs } from "./pairs.tsx";

type StepCardProps = {
  index: number;
  count: number;
  step: StepFields;
  onStep: (step: StepFields) => void;
  onMove: (by: -1 | 1) => void;
  onCopy: () => void;
  onRemove: () => void;
};

/** A step of a sequence, on the box or in a container. */
export function StepCard({ index, count, step, onStep, onMove, onCopy, onRemove }: StepCardProps) {
  const path = `Commands[${index}]`;
  const set = (part: Partial<StepFields>): void => onStep({ ...step, ...part });
  const where = (isContainer: boolean): void => set({ isContainer, kind: !isContainer && step.kind === "image" ? "line" : step.kind });
  return (
    <fieldset class="card step">
      <legend>Step {index + 1}</legend>
      <div class="row">
        <TextField path={`${path}.Name`} label="Name" value={step.name} onValue={(name) => set({ name })} />
        <ChoiceField
          path={`${path}.kind`}
          label="What runs"
          value={step.kind}
          onValue={(kind) => set({ kind: kind === "args" || kind === "image" ? kind : "line" })}
          choices={[
            ["line", "a command line"],
            ["args", "a program and its arguments"],
            ...(step.isContainer ? [["image", "the image's own command"] as [string, string]] : []),
          ]}
        />
        <ChoiceField
          path={`${path}.where`}
          label="Where"
          value={step.isContainer ? "container" : "box"}
          onValue={(chosen) => where(chosen === "container")}
          choices={[
            ["box", "on the host"],
            ["container", "in a container"],
          ]}
        />
        <span class="grow" />
        <button type="button" class="small" disabled={index === 0} aria-label={`Step ${index + 1}: move up`} onClick={() => onMove(-1)}>
          ↑
        </button>
        <button
          type="button"
          class="small"
          disabled={index === count - 1}
          aria-label={`Step ${index + 1}: move down`}
          onClick={() => onMove(1)}
        >
          ↓
        </button>
        <button type="button" class="small" aria-label={`Step ${index + 1}: copy`} onClick={onCopy}>
          Copy
        </button>
        <button type="button" class="small" disabled={count === 1} aria-label={`Step ${index + 1}: remove`} onClick={onRemove}>
          Remove
        </button>
      </div>
      {step.kind === "line" && (
        <AreaField path={`${path}.CommandLine`} label="Command line" value={step.line} onValue={(line) => set({ line })} />
      )}
      {step.kind === "args" && (
        <AreaField path={`${path}.Args`} label="Program and arguments, one per line" value={step.args} onValue={(args) => set({ args })} />
      )}
      {step.isContainer && <Container path={path} step={step} set={set} />}
      <details>
        <summary>More options</summary>
        <div class="fields">
          <TextField
            path={`${path}.WorkingDir`}
            label="Working directory"
            value={step.workingDir}
            onValue={(workingDir) => set({ workingDir })}
            isMono
          />
          <TextField
            path={`${path}.TimeoutSeconds`}
            label="Timeout in seconds"
            value={step.timeoutSeconds}
            onValue={(timeoutSeconds) => set({ timeoutSeconds })}
          />
          <ChoiceField
            path={`${path}.RunOn`}
            label="Runs"
            value={step.runOn}
            onValue={(runOn) => set({ runOn })}
            choices={[
              ["", "if all previous steps succeeded"],
              ["failure", "if a previous step failed"],
              ["always", "always"],
            ]}
          />
          {step.kind === "line" && (
            <TextField
              path={`${path}.Shell`}
              label="Shell"
              value={step.shell}
              onValue={(shell) => set({ shell })}
              isMono
              placeholder={step.isContainer ? "/bin/sh" : "bash"}
            />
          )}
          <label class="check">
            <input type="checkbox" checked={step.ignoreError} onChange={(event) => set({ ignoreError: event.currentTarget.checked })} /> Its
            failure does not count
          </label>
        </div>
        <Pairs
          path={`${path}.Environment`}
          label="Environment of this step"
          what="Variable"
          pairs={step.environment}
          onPairs={(environment) => set({ environment })}
        />
      </details>
    </fieldset>
  );
}

function Container({ path, step, set }: { path: string; step: StepFields; set: (part: Partial<StepFields>) => void }) {
  const { Engine, Problem } = useKnown().box.Containers;
  return (
    <>
      {Engine === null && <p class="notice warn">No container can run here now: {Problem}</p>}
      <div class="fields">
        <TextField
          path={`${path}.Image`}
          label="Image"
          value={step.image}
          onValue={(image) => set({ image })}
          isMono
          placeholder="debian:12"
        />
        <TextField
          path={`${path}.Network`}
          label="Network"
          value={step.network}
          onValue={(network) => set({ network })}
          placeholder="none, bridge, host or a name"
        />
        <TextField path={`${path}.User`} label="User in the container" value={step.user} onValue={(user) => set({ user })} />
        <ChoiceField
          path={`${path}.Pull`}
          label="Pulled"
          value={step.pull}
          onValue={(pull) => set({ pull })}
          choices={[
            ["", "if it is missing"],
            ["always", "always"],
            ["never", "never"],
          ]}
        />
        <TextField
          path={`${path}.Resources.MemoryBytes`}
          label="Memory in bytes"
          value={step.memoryBytes}
          onValue={(memoryBytes) => set({ memoryBytes })}
        />
        <TextField path={`${path}.Resources.CPUs`} label="Processors" value={step.cpus} onValue={(cpus) => set({ cpus })} />
        <TextField path={`${path}.Resources.Pids`} label="Processes" value={step.pids} onValue={(pids) => set({ pids })} />
      </div>
      <div class="fields wide">
        <AreaField
          path={`${path}.Mounts`}
          label="Mounts, one per line"
          hint="/on/the/box:/in/the/container, with :ro where it is only read"
          value={step.mounts}
          onValue={(mounts) => set({ mounts })}
          rows={2}
        />
        <AreaField
          path={`${path}.Entrypoint`}
          label="Entrypoint, one argument per line"
          value={step.entrypoint}
          onValue={(entrypoint) => set({ entrypoint })}
          rows={2}
        />
      </div>
    </>
  );
}
