// Statistics. Medians, because one slow round on a shared machine must not decide.
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const seconds = (value: number): string => `${value.toFixed(3)} s`;
export const ratio = (value: number): string => (value < 0.01 ? value.toPrecision(1) : value.toFixed(2));

/** The ratios of all rounds: their spread shows how quiet the machine was. */
export const spread = (values: readonly number[]): string => values.map((value) => value.toFixed(2)).join(" ");
