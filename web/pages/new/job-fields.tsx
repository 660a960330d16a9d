import { jobTable, jobLeaves } from "../../../src/fields/job-table.ts";
import type { Fields } from "./fields.ts";
import { LeafControl, LeafControls } from "./leaf-controls.tsx";
import { type Pair, pairsAt } from "./values.ts";

const first = jobLeaves.filter(({ field }) => field.place === "first");
const more = jobLeaves.filter(({ field }) => field.place === "more");
const secretsLeaf = { path: "Secrets", field: jobTable.Secrets };

/** What is said of a job as a whole. */
export function JobFields({ fields, onFields }: { fields: Fields; onFields: (fields: Fields) => void }) {
  const { values } = fields;
  const props = { values, onValues: (changed: Fields["values"]) => onFields({ ...fields, values: changed }) };
  return (
    <>
      <LeafControls leaves={first} {...props} />
      <details open={pairsAt(values, secretsLeaf.path).length > 0}>
        <summary>More options</summary>
        <LeafControls leaves={more} {...props} />
      </details>
    </>
  );
}

export function SecretFields({ secrets, onSecrets }: { secrets: Pair[]; onSecrets: (secrets: Pair[]) => void }) {
  const { path } = secretsLeaf;
  return <LeafControl leaf={secretsLeaf} values={{ [path]: secrets }} onValues={(values) => onSecrets(pairsAt(values, path))} />;
}
