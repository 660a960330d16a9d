/** Content negotiation by the Accept header (RFC 9110, 12.5.1), for the few types that this API has. */

type Wanted = { type: string; quality: number };

/** The offered type that the client likes best, the earlier one where it likes several alike; null where it accepts none. */
export function chooseType<Type extends string>(accept: string | undefined, offered: readonly Type[]): Type | null {
  const wanted = (accept ?? "*/*").split(",").map(readWanted);
  let best: { type: Type; quality: number } | null = null;
  for (const type of offered) {
    const quality = qualityOf(type, wanted);
    if (quality > (best?.quality ?? 0)) best = { type, quality };
  }
  return best?.type ?? null;
}

function readWanted(item: string): Wanted {
  const [type = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, quality: Number.isNaN(value) ? 0 : value };
}

/** The most specific entry counts. */
function qualityOf(type: string, wanted: Wanted[]): number {
  for (const pattern of [type, `${type.split("/")[0]}/*`, "*/*"]) {
    const found = wanted.find((entry) => entry.type === pattern);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
