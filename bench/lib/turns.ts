// Measuring in turns, so that what the machine does meanwhile strikes all alike.
import { atMost, atLeast } from "./benchmark.ts";
import type { Row } from "./benchmark.ts";
import { median, ratio, spread } from "./statistics.ts";

/** One of the things that are measured in turns. */
export type Contender<Result> = { name: string; run: () => Promise<Result> };
export type Turns<Result> = { rounds: number; warmUps?: number; onRound?: (round: number, results: ReadonlyMap<string, Result[]>) => void };

/**
 * Rounds in which each takes its turn: forwards, backwards, then another one first, since each finds what the one before it left; before them,
 * where asked for, rounds that do not count.
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
  /** None: for information. */
  bound?: { atMost: number } | { atLeast: number };
};

/** The median of the ratios of the rounds, with all of them. */
export function compare({ name, ours, peer, show, bound }: Comparison): Row {
  const ratios = ours.map((value, round) => value / (peer[round] ?? Number.NaN));
  const value = median(ratios);
  const row = { name, ours: show(median(ours)), peer: show(median(peer)), measured: `${ratio(value)} (${spread(ratios)})` };
  if (bound === undefined) return { ...row, demanded: "", verdict: "for information" };
  return "atMost" in bound
    ? { ...row, demanded: `<= ${bound.atMost}`, verdict: atMost(value, bound.atMost) }
    : { ...row, demanded: `>= ${bound.atLeast}`, verdict: atLeast(value, bound.atLeast) };
}
