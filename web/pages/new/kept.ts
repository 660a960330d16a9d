import { type Draft, writtenIn } from "./draft.ts";
import { type Pair, pairsAt, withValue } from "./values.ts";

/** Drafts outlive a reload and a login, in this tab: each of what it was made from. Of secrets the names alone are kept. */

const keyOf = (fromId: string | null): string => `jobrunner.new-job.${fromId ?? "new"}`;

export function keptDraft(fromId: string | null): Draft | null {
  const text = sessionStorage.getItem(keyOf(fromId));
  if (text === null) return null;
  const draft: Draft = JSON.parse(text);
  return draft;
}

/** Null: it was submitted. */
export function keepDraft(fromId: string | null, draft: Draft | null): void {
  const kept = draft === null ? null : withoutSecrets(draft);
  if (kept === null) sessionStorage.removeItem(keyOf(fromId));
  else sessionStorage.setItem(keyOf(fromId), JSON.stringify(kept));
}

/** Null: there may be a secret in it. */
function withoutSecrets(draft: Draft): Draft | null {
  if (draft.kind === "fields") {
    const { values } = draft.fields;
    return { ...draft, fields: { ...draft.fields, values: withValue(values, "Secrets", withoutValues(pairsAt(values, "Secrets"))) } };
  }
  const secrets = withoutValues(draft.secrets);
  if (!draft.text.includes("Secrets")) return { ...draft, secrets };
  const written = writtenIn({ ...draft, secrets: [] });
  if (written.kind === "wrong") return null;
  const { Secrets: _secrets, ...spec } = written.spec;
  return { kind: "json", text: JSON.stringify(spec, null, 2), secrets };
}

function withoutValues(secrets: readonly Pair[]): Pair[] {
  return secrets.map(({ name }) => ({ name, value: "" }));
}
