import type { Finding } from "./box.ts";

/** The result of all checks. */

export type Diagnosis = { version: string; findings: (Finding & { check: string })[] };

/** The JSON form, the same on the command line and in the API. */
export type DiagnosisDocument = {
  Version: string;
  IsWell: boolean;
  Findings: { Check: string; Level: Finding["level"]; Found: string; Remedy: string | null }[];
};

export function isWell({ findings }: Diagnosis): boolean {
  return findings.every(({ level }) => level !== "problem");
}

export function documentOf(diagnosis: Diagnosis): DiagnosisDocument {
  const Findings = diagnosis.findings.map(({ check, level, found, remedy }) => ({
    Check: check,
    Level: level,
    Found: found,
    Remedy: remedy,
  }));
  return { Version: diagnosis.version, IsWell: isWell(diagnosis), Findings };
}
