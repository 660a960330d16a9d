import type { Client, OutputStyle } from "../../src/client/index.ts";
import { untilAnswered } from "../service/connection.ts";
import { beforeBytes, behindBytes, pageBytes, type StylePoint } from "./lines.ts";
import { Styler } from "./styles.ts";

/** So many are kept: the pages that were read last, and the places at which the service paused. */
const mostPoints = 1024;

/** The styles that hold at some bytes of an output: those behind pages that were read, and those that the service was asked for. */
export class StylePoints {
  readonly #client: Client;
  readonly #id: string;
  readonly #sgrs = new Map<number, string>();

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.#id = id;
  }

  note({ offsetBytes, sgr }: StylePoint): void {
    this.#sgrs.set(offsetBytes, sgr);
    const [oldest] = this.#sgrs.keys();
    if (this.#sgrs.size > mostPoints && oldest !== undefined) this.#sgrs.delete(oldest);
  }

  /** The last one that is known from `fromBytes` up to `toBytes`. */
  between(fromBytes: number, toBytes: number): StylePoint | null {
    let found: StylePoint | null = fromBytes <= 0 ? { offsetBytes: 0, sgr: "" } : null;
    for (const [offsetBytes, sgr] of this.#sgrs)
      if (offsetBytes >= (found?.offsetBytes ?? fromBytes) && offsetBytes <= toBytes) found = { offsetBytes, sgr };
    return found;
  }

  /** The style at this byte, by the service. It reads backwards, part by part, to one that is known here. Throws what the client throws. */
  async ask(offsetBytes: number, signal?: AbortSignal): Promise<StylePoint> {
    const parts: StylePoint[] = [];
    let end: number | null = offsetBytes;
    let sgr = "";
    while (end !== null) {
      const known: StylePoint = this.between(0, end) ?? { offsetBytes: 0, sgr: "" };
      if (known.offsetBytes === end) {
        sgr = known.sgr;
        break;
      }
      const options: Parameters<Client["style"]>[1] = {
        offsetBytes: end,
        fromBytes: known.offsetBytes,
        ...(signal === undefined ? {} : { signal }),
      };
      const found: OutputStyle = await untilAnswered(() => this.#client.style(this.#id, options), signal === undefined ? {} : { signal });
      parts.push({ offsetBytes: end, sgr: found.Sgr });
      end = found.FromOffset;
    }
    for (const part of parts.toReversed()) {
      sgr = new Styler([sgr, part.sgr].filter((text) => text !== "").join(";") || "0").sgr;
      this.note({ offsetBytes: part.offsetBytes, sgr });
    }
    return { offsetBytes, sgr };
  }
}

/** One from which the style of the page's first line follows: where that begins, or before it. */
export function styleOf(number: number, points: StylePoints): StylePoint | null {
  return points.between(Math.max(0, number * pageBytes - beforeBytes), number * pageBytes + behindBytes);
}
