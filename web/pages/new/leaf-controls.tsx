import type { Leaf } from "../../../src/fields/field.ts";
import { AreaField, ChoiceField, FlagField, TextField } from "./field.tsx";
import { Pairs } from "./pairs.tsx";
import { type FormValue, type FormValues, isSetAt, pairsAt, textAt, withValue } from "./values.ts";

/** `base`: the path of what the fields belong to, with a dot after it: `Commands[0].`. */
export type FormPart = { values: FormValues; onValues: (values: FormValues) => void; base?: string };
type LeavesProps = FormPart & { leaves: readonly Leaf[] };

/** The controls of fields, each as its kind wants it: small ones in columns, then those that need room. */
export function LeafControls({ leaves, ...props }: LeavesProps) {
  const small = leaves.filter((leaf) => !isWide(leaf));
  const wide = leaves.filter(isWide);
  return (
    <>
      {small.length > 0 && (
        <div class="fields">
          {small.map((leaf) => (
            <LeafControl key={leaf.path} leaf={leaf} {...props} />
          ))}
        </div>
      )}
      {wide.length > 0 && (
        <div class="fields wide">
          {wide.map((leaf) => (
            <LeafControl key={leaf.path} leaf={leaf} {...props} />
          ))}
        </div>
      )}
    </>
  );
}

function isWide({ field }: Leaf): boolean {
  return (
    ["contents", "list", "items", "map", "variables", "secrets"].includes(field.kind) || (field.kind === "text" && field.isLong === true)
  );
}

type LeafProps = FormPart & { leaf: Leaf; rows?: number };

export function LeafControl({ leaf: { path, field }, values, onValues, base = "", rows = 2 }: LeafProps) {
  const { label, hint, placeholder } = field;
  const onValue = (value: FormValue): void => onValues(withValue(values, path, value));
  const value = textAt(values, path);
  const said = {
    path: `${base}${path}`,
    label,
    ...(hint === undefined ? {} : { hint }),
    ...(placeholder === undefined ? {} : { placeholder }),
  };
  switch (field.kind) {
    case "text":
      if (field.isLong === true) return <AreaField {...said} value={value} onValue={onValue} rows={rows} />;
      return <TextField {...said} value={value} onValue={onValue} isMono={field.isMono === true} />;
    case "seconds": {
      const duration = inLongUnits(value);
      return <TextField {...said} {...(duration === null ? {} : { hint: duration })} value={value} onValue={onValue} />;
    }
    case "bytes":
    case "number":
    case "integer":
      return <TextField {...said} value={value} onValue={onValue} />;
    case "contents":
    case "list":
    case "items":
      return <AreaField {...said} value={value} onValue={onValue} rows={rows} />;
    case "flag":
      return <FlagField {...said} isSet={isSetAt(values, path)} onSet={onValue} />;
    case "choice":
      return <ChoiceField {...said} value={value} onValue={onValue} choices={[["", field.otherwise], ...field.choices]} />;
    case "map":
    case "variables":
    case "secrets":
      return <Pairs {...said} what={field.what} pairs={pairsAt(values, path)} onPairs={onValue} isSecret={field.kind === "secrets"} />;
  }
}

/** So that 36000 is seen to be ten hours. Null: it is no number. */
function inLongUnits(text: string): string | null {
  const seconds = Number(text);
  if (text.trim() === "" || Number.isNaN(seconds)) return null;
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1).replace(/\.0$/, "")} min` : `${(seconds / 3600).toFixed(1).replace(/\.0$/, "")} h`;
}
