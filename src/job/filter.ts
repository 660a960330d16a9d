/**
 * Selects jobs, in memory and in the database (src/store/listing.ts says the same in SQL; test/filter.test.ts compares both). A field that
 * is null selects every job.
 */
export type JobFilter = {
  idPrefix: string | null;
  labels: { key: string; value: string | null }[]; // all of them must match; null: any value
  name: string | null;
  text: string | null; // in the name, the ID or a label as key=value; ASCII letters match in either case
  owner: string | null;
  sinceMs: number | null; // submitted at or after
  untilMs: number | null; // submitted before
};

export type FilteredJob = { id: string; name: string | null; labels: Record<string, string>; owner: string | null; submittedAtMs: number };

export function matchesFilter(job: FilteredJob, { idPrefix, labels, name, text, owner, sinceMs, untilMs }: JobFilter): boolean {
  if (idPrefix !== null && !job.id.startsWith(idPrefix)) return false;
  if (owner !== null && job.owner !== owner) return false;
  if (name !== null && job.name !== name) return false;
  if (text !== null && !hasText(job, asciiLower(text))) return false;
  if (sinceMs !== null && job.submittedAtMs < sinceMs) return false;
  if (untilMs !== null && job.submittedAtMs >= untilMs) return false;
  return labels.every(({ key, value }) => Object.hasOwn(job.labels, key) && (value === null || job.labels[key] === value));
}

function hasText({ id, name, labels }: FilteredJob, wanted: string): boolean {
  const texts = [id, name ?? "", ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)];
  return texts.some((text) => asciiLower(text).includes(wanted));
}

/** The case that SQLite's LIKE ignores. */
function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
