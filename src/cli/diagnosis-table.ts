import { release } from "node:os";
import { styleText } from "node:util";
import type { Level } from "../doctor/box.ts";
import { type Diagnosis, isWell } from "../doctor/diagnosis.ts";
import { distribution } from "../doctor/distribution.ts";
import { visible } from "./table.ts";

const colors = { ok: "green", note: "yellow", problem: "red" } as const satisfies Record<Level, string>;

/** A diagnosis for people, in colours where standard output is a terminal that takes them. */
export function diagnosisTable(diagnosis: Diagnosis): string {
  const { version, findings } = diagnosis;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const rows = findings.flatMap(({ check, level, found, remedy }) => {
    const margin = " ".repeat("problem".length + width + 4);
    const row = `${styleText(colors[level], level.padEnd("problem".length))}  ${check.padEnd(width)}  ${visible(found)}`;
    return remedy === null ? [row] : [row, `${margin}${styleText("bold", "do:")} ${visible(remedy)}`];
  });
  return [`jobrunner ${version} on ${distribution().title}, Linux ${release()}, ${process.arch}`, "", ...rows, "", summary(diagnosis)].join(
    "\n",
  );
}

function summary(diagnosis: Diagnosis): string {
  const [problems, notes] = (["problem", "note"] as const).map(
    (wanted) => diagnosis.findings.filter(({ level }) => level === wanted).length,
  );
  const counts = `${counted(problems ?? 0, "problem")}, ${counted(notes ?? 0, "note")}`;
  return isWell(diagnosis) ? `Jobs can run here (${counts}).` : `Not all that is asked for works here (${counts}).`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
