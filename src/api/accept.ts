/**
 * Content negotiation by the Accept header (RFC 9110, 12.5.1), for the few types that this API has. Own code, because of two things that
 * clients rely on and the package `negotiator` (1.1.0) does not do: between types of the same quality the service decides, not the order
 * in the header, so that a client that sends `text/event-stream, text/plain` gets the default; and a parameter, such as
 * `application/x-ndjson; charset=utf-8`, does not make a type unacceptable.
 */

type Wanted = { type: string; quality: number };

/** The offered type with the highest quality, the first one of several; null if the client accepts none. */
export function chooseType<Type extends string>(accept: string | undefined, offered: readonly Type[]): Type | null {
  const wanted = (accept ?? "*/*").split(",").map(readWanted);
  let best: { type: Type; quality: number } | null = null;
  for (const type of offered) {
    const quality = qualityOf(type, wanted);
    if (quality > (best?.quality ?? 0)) best = { type, quality };
  }
  return best?.type ?? null;
}

/** A quality that is not a number makes the type unacceptable. */
function readWanted(item: string): Wanted {
  const [type = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, quality: Number.isNaN(value) ? 0 : value };
}

/** The most specific range counts. */
function qualityOf(type: string, wanted: Wanted[]): number {
  for (const pattern of [type, `${type.split("/")[0]}/*`, "*/*"]) {
    const found = wanted.find((entry) => entry.type === pattern);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
