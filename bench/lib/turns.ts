// Measures in turns, so that other load on the machine affects all contenders alike.
import { atMost, atLeast } from "./benchmark.ts";
import type { Row } from "./benchmark.ts";
import { median, ratio, spread } from "./statistics.ts";

/** A program that is measured in turns with others. */
export type Contender<Result> = { name: string; run: () => Promise<Result> };
export type Turns<Result> = { rounds: number; warmUps?: number; onRound?: (round: number, results: ReadonlyMap<string, Result[]>) => void };

/**
 * Runs rounds in which each contender takes a turn. The order changes (forwards, backwards, then another one first), because each contender
 * is affected by the one before it. `warmUps` rounds run first and are not counted.
 */
export async function inTurns<Result>(
  contenders: Contender<Result>[],
  { rounds, warmUps = 0, onRound }: Turns<Result>,
): Promise<Map<string, Result[]>> {
  for (let round = 0; round < warmUps; round++) for (const contender of contenders) await contender.run();
  const results = new Map(contenders.map(({ name }): [string, Result[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = Math.floor(round / 2) % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const { name, run } of round % 2 === 0 ? order : order.toReversed()) results.get(name)?.push(await run());
    onRound?.(round + 1, results);
  }
  return results;
}

export type Comparison = {
  name: string;
  ours: readonly number[];
  peer: readonly number[];
  show: (value: number) => string;
  /** No bound: the row is for information. */
  bound?: { atMost: number } | { atLeast: number };
};

/** The row with the median of the ratios of all rounds. */
export function compare({ name, ours, peer, show, bound }: Comparison): Row {
  const ratios = ours.map((value, round) => value / (peer[round] ?? Number.NaN));
  const value = median(ratios);
  const row = { name, ours: show(median(ours)), peer: show(median(peer)), measured: `${ratio(value)} (${spread(ratios)})` };
  if (bound === undefined) return { ...row, demanded: "", verdict: "for information" };
  return "atMost" in bound
    ? { ...row, demanded: `<= ${bound.atMost}`, verdict: atMost(value, bound.atMost) }
    : { ...row, demanded: `>= ${bound.atLeast}`, verdict: atLeast(value, bound.atLeast) };
}
