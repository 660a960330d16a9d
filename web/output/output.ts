import { signal } from "@preact/signals";
import { ApiError, type Client, type Job, type Retry } from "../../src/client/index.ts";
import { noteRetry, untilAnswered } from "../service/connection.ts";
import { LiveEnd } from "./live-end.ts";
import { StylePoints, styleOf } from "./style-points.ts";
import { beforeBytes, behindBytes, type OutputPiece, type Page, pageBytes, pageOf } from "./lines.ts";

/** So many pages are kept: some 4 MB of output. */
const keptPages = 64;
const patienceMs = 100;

/**
 * A job's output in pages, read where it is looked at: a page that is whole never changes, so it is asked for once. What grows is its end,
 * which is kept by following the job.
 */
export class Output {
  /** How many bytes there are, as far as is known; null: that has not been heard yet. */
  readonly sizeBytes = signal<number | null>(null);
  /** Whether more may come. */
  readonly isGrowing = signal(true);
  readonly problem = signal<string | null>(null);

  readonly #client: Client;
  readonly #id: string;
  readonly #pages = new Map<number, Page>();
  readonly #styles: StylePoints;
  /** Pages of which the style is asked for. */
  readonly #restyling = new Set<number>();
  #onChange: () => void = () => undefined;
  #end: LiveEnd | null = null;
  #following: AbortController | null = null;

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.#id = id;
    this.#styles = new StylePoints({ client, id });
  }

  /** Hears that pages are shown otherwise, because a style that begins far before them became known. */
  onChange(hear: () => void): void {
    this.#onChange = hear;
  }

  get pageCount(): number {
    return Math.ceil((this.sizeBytes.value ?? 0) / pageBytes);
  }

  /** How it ended, of a job that is finished. */
  close({ OutputBytes }: Job): void {
    this.#following?.abort();
    this.#end = null;
    this.sizeBytes.value = OutputBytes ?? this.sizeBytes.value;
    this.isGrowing.value = false;
  }

  /** Follows the job's end until it is finished; resolves then, with how it ended, and with null when it was stopped. */
  async follow(onGrowth: () => void): Promise<Job | null> {
    this.#following?.abort();
    const following = new AbortController();
    this.#following = following;
    const end = new LiveEnd({ client: this.#client, id: this.#id, styles: this.#styles });
    this.#end = end;
    const note = (): void => {
      this.problem.value = null;
      for (const page of end.takeWhole()) this.#keep(page);
      this.sizeBytes.value = end.sizeBytes;
      onGrowth();
    };
    const onRetry = (retry: Retry): void => {
      noteRetry(retry);
      if (retry.cause instanceof ApiError) this.problem.value = retry.cause.message;
    };
    try {
      return await untilAnswered(() => end.follow({ onGrowth: note, signal: following.signal }), { signal: following.signal, onRetry });
    } catch (error) {
      if (following.signal.aborted) return null;
      this.problem.value = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  stop(): void {
    this.#following?.abort();
  }

  /** The page, if it is at hand. */
  at(number: number): Page | null {
    const page = this.#end?.pageAt(number) ?? this.#pages.get(number) ?? null;
    if (page !== null && this.#pages.delete(number)) this.#pages.set(number, page); // the latest used are kept
    return page;
  }

  /** Throws what the client throws. */
  async load(number: number, signal: AbortSignal): Promise<Page> {
    const known = this.at(number);
    if (known !== null) return known;
    const [pieces] = await Promise.all([untilAnswered(() => this.#piecesOf(number, signal), { signal }), this.#styleSoon(number)]);
    const grown = this.at(number); // by following, while the answer was on its way: it has no less
    if (grown !== null) return grown;
    const page = this.#pageOf(number, pieces);
    if (page.isWhole) this.#keep(page);
    return page;
  }

  /** Waits until the style at the page's start is known, for as long as nobody sees that. */
  async #styleSoon(number: number): Promise<void> {
    if (styleOf(number, this.#styles) !== null) return;
    const asked = this.#styles.ask(startOf(number)).catch(() => null); // the page is shown without
    await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, patienceMs))]);
  }

  #pageOf(number: number, pieces: readonly OutputPiece[]): Page {
    const endBytes = (number + 1) * pageBytes + behindBytes;
    const isWhole = !this.isGrowing.value || endBytes <= (this.sizeBytes.value ?? 0);
    return pageOf(number, pieces, { isWhole, style: styleOf(number, this.#styles) });
  }

  /** With the style at its start, which the service may take some time to find: meanwhile the page is shown without. */
  async #restyle(number: number): Promise<void> {
    if (this.#restyling.has(number)) return;
    this.#restyling.add(number);
    try {
      const { signal } = new AbortController();
      const [pieces] = await Promise.all([this.#piecesOf(number, signal), this.#styles.ask(startOf(number))]);
      this.#keep(this.#pageOf(number, pieces));
      this.#end?.restyle(); // the page behind it follows its style
      this.#onChange();
    } catch {
      // It is asked for again when the page is looked at again.
    } finally {
      this.#restyling.delete(number);
    }
  }

  async #piecesOf(number: number, signal: AbortSignal): Promise<OutputPiece[]> {
    return await this.#read({ offsetBytes: startOf(number), endBytes: (number + 1) * pageBytes + behindBytes, signal });
  }

  async #read(wanted: { offsetBytes: number; endBytes: number; signal: AbortSignal }): Promise<OutputPiece[]> {
    const pieces: OutputPiece[] = [];
    for await (const piece of this.#client.attach(this.#id, { ...wanted, isFollowing: false }))
      if (piece.kind !== "outcome") pieces.push(piece);
    return pieces;
  }

  #keep(page: Page): void {
    this.#pages.set(page.number, page);
    if (page.end === null) void this.#restyle(page.number);
    else if (page.isWhole) this.#styles.note(page.end);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > keptPages && oldest !== undefined) this.#pages.delete(oldest);
  }
}

/** The first byte that is read for the page. */
function startOf(number: number): number {
  return Math.max(0, number * pageBytes - beforeBytes);
}
