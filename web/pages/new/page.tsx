import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { jobTable } from "../../../src/fields/job-table.ts";
import { sayProblem } from "../../parts/toasts.tsx";
import { useTab } from "../../parts/use-tab.ts";
import { useKnown } from "../../parts/use-known.ts";
import { goTo, hrefs } from "../../route.ts";
import { untilAnswered } from "../../service/connection.ts";
import { titleOf } from "../../service/format.ts";
import { type Draft, draftOf, inFields, inJson, writtenIn } from "./draft.ts";
import { AreaField } from "./field.tsx";
import { emptyFields, emptyStep, type Fields } from "./fields.ts";
import { JobFields, SecretFields } from "./job-fields.tsx";
import { keepDraft, keptDraft } from "./kept.ts";
import { LeafControl } from "./leaf-controls.tsx";
import { Problems, problemsOf, type Refusal, refusalOf, wholePath } from "./problems.ts";
import { Same } from "./same-as.tsx";
import { Steps } from "./steps.tsx";
import { textAt, withValue } from "./values.ts";
import "./style.css";

const commandLineLeaf = { path: "CommandLine", field: jobTable.CommandLine };
const emptyDraft: Draft = { kind: "fields", fields: emptyFields };

/** A job to be written, or one that ran before to be changed. */
export function NewJobPage({ fromId }: { fromId: string | null }) {
  const { client, box } = useKnown();
  const { draft, setDraft, remark, refusal, setRefusal } = useDraft(fromId);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const written = useMemo(() => writtenIn(draft), [draft]);
  const key = useMemo(() => crypto.getRandomValues(new Uint8Array(16)).join("-"), [written]);
  useEffect(() => {
    if (refusal !== null) showFirst(form.current);
  }, [refusal]);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (written.kind === "wrong")
      return setRefusal({ whole: `the job ${written.problem}`, fields: [{ field: wholePath, message: written.problem }] });
    setBusy(true);
    setRefusal(null);
    try {
      const id = await client.submit(written.spec, { idempotencyKey: key });
      keepDraft(fromId, null);
      goTo(hrefs.job(id));
    } catch (error) {
      setRefusal(refusalOf(error));
      setBusy(false);
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit(event);
  };
  if (box.You.Role === "read")
    return (
      <div class="page">
        <h1>New job</h1>
        <p class="notice warn">{box.You.Name} may only watch: a token with the role submit or admin is needed to run jobs.</p>
      </div>
    );
  return (
    <Problems.Provider value={refusal === null ? { at: () => null } : problemsOf(refusal)}>
      <form ref={form} class="page new" onSubmit={(event) => void submit(event)} onKeyDown={onKey} noValidate>
        <h1>{fromId === null ? "New job" : "Edit and run again"}</h1>
        {remark !== null && <p class="notice">{remark}</p>}
        {refusal !== null && <Refused refusal={refusal} />}
        <Kinds draft={draft} onDraft={setDraft} />
        {draft.kind === "json" ? (
          <Json draft={draft} onDraft={setDraft} />
        ) : (
          <InFields fields={draft.fields} onFields={(fields) => setDraft({ kind: "fields", fields })} />
        )}
        <div class="row">
          <button class="primary" disabled={isBusy}>
            {isBusy ? "Submitting…" : "Run"}
          </button>
          <span class="muted">or Ctrl+Enter</span>
        </div>
        {written.kind === "spec" && <Same spec={written.spec} />}
      </form>
    </Problems.Provider>
  );
}

/** The draft that was kept, or is made of the job that it is to be like; with what is to be said of it. */
function useDraft(fromId: string | null) {
  const { client } = useKnown();
  const [draft, setDraft] = useState<Draft>(() => keptDraft(fromId) ?? emptyDraft);
  const [remark, setRemark] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  useTab("New job");
  useEffect(() => {
    if (fromId === null || keptDraft(fromId) !== null) return;
    const fill = async (id: string): Promise<void> => {
      const job = await untilAnswered(() => client.job(id));
      setDraft(draftOf(job.Spec));
      setRemark(
        Object.keys(job.Spec.Secrets ?? {}).length > 0
          ? `As ${titleOf(job)} was. The values of its secrets cannot be read back: enter them again.`
          : `As ${titleOf(job)} was.`,
      );
    };
    fill(fromId).catch((error: unknown) => setRefusal(refusalOf(error)));
  }, [client, fromId]);
  useEffect(() => {
    if (draft !== emptyDraft) keepDraft(fromId, draft); // an empty one is none: what it is to be filled with may still be on its way
  }, [draft, fromId]);
  return { draft, setDraft, remark, refusal, setRefusal };
}

function Refused({ refusal: { whole, fields } }: { refusal: Refusal }) {
  return (
    <div class="notice bad" role="alert">
      <p>It was not accepted: {whole}</p>
      {fields.length > 1 && (
        <ul>
          {fields.map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

type DraftProps<Kind extends Draft = Draft> = { draft: Kind; onDraft: (draft: Draft) => void };

function Kinds({ draft, onDraft }: DraftProps) {
  const toFields = (change: (fields: Fields) => Fields): void => {
    const fields = inFields(draft);
    if (fields === null) sayProblem(new Error("The form has no fields for some parts of this JSON."));
    else onDraft({ kind: "fields", fields: change(fields) });
  };
  const isPressed = (isSequence: boolean): boolean => draft.kind === "fields" && draft.fields.isSequence === isSequence;
  return (
    <div class="row kinds" role="group" aria-label="Kind of job">
      <button type="button" aria-pressed={isPressed(false)} onClick={() => toFields((fields) => ({ ...fields, isSequence: false }))}>
        One command line
      </button>
      <button type="button" aria-pressed={isPressed(true)} onClick={() => toFields(asSequence)}>
        Steps
      </button>
      <button type="button" aria-pressed={draft.kind === "json"} onClick={() => onDraft(inJson(draft))}>
        JSON
      </button>
    </div>
  );
}

/** The line that is there becomes the first step. */
function asSequence(fields: Fields): Fields {
  const [first, ...more] = fields.steps;
  const isFresh = more.length === 0 && JSON.stringify(first) === JSON.stringify(emptyStep);
  const { path } = commandLineLeaf;
  const fresh = { ...emptyStep, values: withValue({}, path, textAt(fields.values, path)) };
  return { ...fields, isSequence: true, steps: isFresh ? [fresh] : fields.steps };
}

function Json({ draft, onDraft }: DraftProps<Extract<Draft, { kind: "json" }>>) {
  return (
    <>
      <AreaField
        path={wholePath}
        label="The job as JSON"
        hint="everything that the API accepts"
        value={draft.text}
        onValue={(text) => onDraft({ ...draft, text })}
        rows={Math.max(8, Math.min(24, draft.text.split("\n").length + 1))}
      />
      <SecretFields secrets={draft.secrets} onSecrets={(secrets) => onDraft({ ...draft, secrets })} />
    </>
  );
}

function InFields({ fields, onFields }: { fields: Fields; onFields: (fields: Fields) => void }) {
  return (
    <>
      {fields.isSequence ? (
        <Steps steps={fields.steps} onSteps={(steps) => onFields({ ...fields, steps })} />
      ) : (
        <LeafControl leaf={commandLineLeaf} values={fields.values} onValues={(values) => onFields({ ...fields, values })} rows={5} />
      )}
      <JobFields fields={fields} onFields={onFields} />
    </>
  );
}

/** To the first field with which something is wrong, wherever it is folded away. */
function showFirst(form: HTMLFormElement | null): void {
  const wrong = form?.querySelector<HTMLElement>("[aria-invalid=true]");
  if (wrong === null || wrong === undefined) return;
  for (let details = wrong.closest("details"); details !== null; details = details.parentElement?.closest("details") ?? null)
    details.open = true;
  (wrong.matches("fieldset") ? (wrong.querySelector<HTMLElement>("input, button") ?? wrong) : wrong).focus();
}
