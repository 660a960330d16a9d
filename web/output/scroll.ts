import type { Fold } from "./folds.ts";
import type { Page } from "./lines.ts";
import * as layouts from "./layout.ts";
import type { Layout } from "./layout.ts";
import type { Metrics } from "./rows.ts";

/**
 * Where the reader is in an output. The position is kept as what is read, never as pixels: pixels are derived from it and the layout, so
 * rows that are loaded, measured, folded or wrapped above it cannot move it.
 *
 *                    go to the end / scroll down to the bottom
 *   anchor, target ───────────────▶ going ───page loaded───▶ end
 *        ▲                            │
 *        │                            └──page loaded───▶ target
 *        ├──────────── scroll where rows are ──────────── any position
 *        └── page loaded ── unloaded ◀── scroll where none are ── any position
 */
type Position =
  | Goal
  /** This row is at the top of the viewport. */
  | Anchor
  | Unloaded
  /** Shows `from` until the page of the goal is loaded. */
  | { kind: "going"; goal: Goal; from: Anchor | Unloaded | null };

export type Goal =
  /** Follows the end, however much is added. */
  | { kind: "end" }
  /** The line with this byte is this share of the viewport below its top. */
  | { kind: "target"; offsetBytes: number; share: number };

/** `withinPx`: pixels from the top of the row to the top of the viewport. Negative in the header of a step above the row. */
type Anchor = { kind: "anchor"; offsetBytes: number; withinPx: number };

/**
 * No row is in the viewport, so there is nothing to hold on to but the pixels. `isNear`: the reader came here from the loaded pages by
 * wheel or keys and means a distance from them. Otherwise the reader moved the scroll bar and means a share of the whole.
 */
type Unloaded = { kind: "unloaded"; scrollTopPx: number; isNear: boolean };

export type ScrollState = { layout: Layout; position: Position };

export type ScrollEvent =
  | { kind: "resized"; viewportPx: number; metrics: Metrics }
  | { kind: "folded"; folds: readonly Fold[] }
  | { kind: "measured"; heights: ReadonlyMap<string, number> }
  /** `current`: the loaded pages as they are after the growth. */
  | { kind: "grew"; pageCount: number; current: readonly Page[] }
  | { kind: "loaded"; page: Page }
  | { kind: "scrolled"; byPx: number; isDownToBottom: boolean }
  | { kind: "went"; goal: Goal }
  | { kind: "stoppedFollowing" };

export const initialScroll: ScrollState = { layout: layouts.emptyLayout, position: { kind: "end" } };

/** A scroll by less turns a wheel, by more moves the scroll bar. */
const wheelLimitPx = 8000;
/** Pages this near to the viewport are loaded before they are seen. */
const aheadPx = 8000;

export function reduce(state: ScrollState, event: ScrollEvent): ScrollState {
  switch (event.kind) {
    case "resized":
      return withLayout(state, layouts.resized(state.layout, event));
    case "folded":
      return withLayout(state, layouts.folded(state.layout, event.folds, keptBytes(state)));
    case "measured":
      return withLayout(state, layouts.measured(state.layout, event.heights));
    case "grew":
      return withLayout({ ...state, position: unclamped(state) }, layouts.grown(state.layout, event));
    case "loaded":
      return loaded(state, event.page);
    case "scrolled":
      return scrolled(state, event);
    case "went":
      return reached({ ...state, position: { kind: "going", goal: event.goal, from: seen(state) } });
    case "stoppedFollowing":
      return isFollowing(state) ? { ...state, position: seen(state) ?? state.position } : state;
  }
}

export function isFollowing({ position }: ScrollState): boolean {
  return position.kind === "end" || (position.kind === "going" && position.goal.kind === "end");
}

/** The distance between the top of the whole output and the top of the viewport. */
export function scrollTopPx({ layout, position }: ScrollState): number {
  const lowestPx = Math.max(0, layouts.wholePx(layout) - layout.viewportPx);
  return Math.min(lowestPx, Math.max(0, wantedTopPx(layout, position)));
}

/** The page to load next, null when nothing is missing. */
export function missingPage(state: ScrollState): number | null {
  const { layout, position } = state;
  if (layout.pageCount === 0) return null;
  const needed = neededPage(layout, position);
  if (needed !== null && !isLoaded(layout, needed)) return needed;
  const [first, last] = [layout.pages[0]?.page.number, layout.pages.at(-1)?.page.number];
  if (first === undefined || last === undefined) return null;
  const topPx = scrollTopPx(state) - layouts.spacePx(layout);
  const marginPx = marginOf(layout);
  const [previous, next] = [layout.visible.previous(first), layout.visible.next(last)];
  if (topPx < marginPx && previous >= 0) return previous;
  return topPx + layout.viewportPx > layouts.pagesPx(layout) - marginPx && next <= layouts.lastPage(layout) ? next : null;
}

function wantedTopPx(layout: Layout, position: Position): number {
  switch (position.kind) {
    case "end":
      return Infinity;
    case "target":
      return (layouts.rowOfByte(layout, position.offsetBytes)?.topPx ?? 0) - layout.viewportPx * position.share;
    case "anchor": {
      const found = layouts.rowOfByte(layout, position.offsetBytes);
      if (found === null) return 0;
      const isSame = found.row.offsetBytes === position.offsetBytes; // folded away: the header of the fold stands for it
      return found.topPx + (isSame ? Math.min(position.withinPx, found.heightPx - 1) : 0); // a wrapped line may get lower
    }
    case "unloaded":
      return position.scrollTopPx;
    case "going":
      return position.from === null ? 0 : wantedTopPx(layout, position.from);
  }
}

function scrolled(state: ScrollState, { byPx, isDownToBottom }: Extract<ScrollEvent, { kind: "scrolled" }>): ScrollState {
  if (isDownToBottom) return reduce(state, { kind: "went", goal: { kind: "end" } });
  const was = state.position.kind === "going" ? state.position.from : state.position;
  const isNear = Math.abs(byPx) < wheelLimitPx && (was?.kind !== "unloaded" || was.isNear);
  const position = positionAt(state.layout, scrollTopPx(state) + byPx, isNear);
  if (position === null) return state;
  // A wheel that still turns when a target is asked for does not take the request back.
  if (state.position.kind === "going" && state.position.goal.kind === "target")
    return { ...state, position: { ...state.position, from: position } };
  return { ...state, position: position };
}

function loaded(state: ScrollState, page: Page): ScrollState {
  const { layout, position } = state;
  if (isLoaded(layout, page.number)) return state;
  const isNeeded = neededPage(layout, position) === page.number;
  if (!isNeeded && layouts.sideOf(layout, page.number) === "apart") return state; // the reader has scrolled elsewhere meanwhile
  const share = position.kind === "unloaded" ? pagePosition(layout, position) % 1 : 0;
  const next = layouts.withPage(layout, page);
  if (position.kind === "unloaded" && isNeeded)
    return settledIn({ ...next, pages: next.pages.filter((rows) => rows.page === page) }, share);
  const { layout: filled, position: settled } = withLayout(state, next);
  const trimmed = layouts.trimmed(filled, {
    scrollTopPx: scrollTopPx({ layout: filled, position: settled }),
    marginPx: 1.5 * marginOf(filled),
  });
  return { layout: trimmed, position: settled };
}

/** The first loaded page: the reader is as far down in it as in the space that it fills. */
function settledIn(layout: Layout, share: number): ScrollState {
  const topPx = layouts.spacePx(layout) + share * Math.max(0, layouts.pagesPx(layout) - layout.viewportPx);
  return { layout, position: positionAt(layout, topPx, true) ?? { kind: "end" } };
}

function withLayout(state: ScrollState, layout: Layout): ScrollState {
  const { position } = state;
  if (position.kind === "unloaded") return { layout, position: positionAt(layout, position.scrollTopPx, position.isNear) ?? position };
  if (position.kind === "end" && !isReached(layout, position))
    return { layout, position: { kind: "going", goal: position, from: seen(state) } };
  return reached({ layout, position });
}

function reached({ layout, position }: ScrollState): ScrollState {
  return { layout, position: position.kind === "going" && isReached(layout, position.goal) ? position.goal : position };
}

function isReached(layout: Layout, goal: Goal): boolean {
  return (
    layout.pageCount === 0 ||
    isLoaded(layout, goal.kind === "end" ? layouts.lastPage(layout) : layouts.pageOfByte(layout, goal.offsetBytes))
  );
}

/** The page without which the position cannot be shown. */
function neededPage(layout: Layout, position: Position): number | null {
  switch (position.kind) {
    case "end":
      return layouts.lastPage(layout);
    case "anchor":
      return layouts.pageOfByte(layout, position.offsetBytes);
    case "target": {
      const number = layouts.pageOfByte(layout, position.offsetBytes);
      const found = isLoaded(layout, number) ? layouts.rowOfByte(layout, position.offsetBytes) : null;
      const beginsBefore = found !== null && found.row.offsetBytes > position.offsetBytes; // the line begins in the page before
      return beginsBefore ? Math.max(0, layout.visible.previous(number)) : number;
    }
    case "unloaded":
      return layout.visible.at(Math.floor(pagePosition(layout, position)));
    case "going":
      return neededPage(layout, position.goal);
  }
}

/** Where an unloaded position is, counted in visible pages. */
function pagePosition(layout: Layout, { scrollTopPx: topPx, isNear }: Unloaded): number {
  const count = layouts.visibleCount(layout);
  const first = layout.visible.positionOf(layout.pages[0]?.page.number ?? 0);
  const afterLast = layout.pages.length === 0 ? 0 : layout.visible.positionOf(layout.pages.at(-1)?.page.number ?? 0) + 1;
  const fromPagesPx = topPx - layouts.spacePx(layout);
  const near =
    fromPagesPx < 0 ? first + fromPagesPx / layout.averagePx : afterLast + (fromPagesPx - layouts.pagesPx(layout)) / layout.averagePx;
  const share = topPx / Math.max(1, layouts.wholePx(layout) - layout.viewportPx);
  return Math.min(count - 1e-6, Math.max(0, isNear ? near : share * count));
}

/** What is at the top of the viewport when it is scrolled to there; null while nothing is loaded. */
function positionAt(layout: Layout, px: number, isNear: boolean): Anchor | Unloaded | null {
  if (layout.pages.length === 0) return null;
  const topPx = px - layouts.spacePx(layout);
  const found = topPx + layout.viewportPx <= 0 ? null : layouts.rowAtPx(layout, px);
  if (found === null) return { kind: "unloaded", scrollTopPx: px, isNear };
  return { kind: "anchor", offsetBytes: found.row.offsetBytes, withinPx: px - found.topPx };
}

/** What the reader sees at the top of the viewport. */
function seen(state: ScrollState): Anchor | Unloaded | null {
  if (state.position.kind === "anchor" || state.position.kind === "unloaded") return state.position;
  if (state.position.kind === "going") return state.position.from;
  return positionAt(state.layout, scrollTopPx(state), true);
}

/**
 * A row near the end may be lower in the viewport than its position says. More output must not pull it up: where it is seen becomes its
 * position.
 */
function unclamped(state: ScrollState): Position {
  const { layout, position } = state;
  if (position.kind !== "anchor" && position.kind !== "target") return position;
  const topPx = scrollTopPx(state);
  if (wantedTopPx(layout, position) <= topPx) return position;
  if (position.kind === "anchor") return positionAt(layout, topPx, true) ?? position;
  const found = layouts.rowOfByte(layout, position.offsetBytes);
  return found === null ? position : { ...position, share: (found.topPx - topPx) / layout.viewportPx };
}

/** The byte that a change of the layout must keep. */
function keptBytes(state: ScrollState): number {
  if (state.position.kind === "target") return state.position.offsetBytes;
  const top = seen(state);
  return top?.kind === "anchor" ? top.offsetBytes : 0;
}

function isLoaded({ pages }: Layout, number: number): boolean {
  return pages.some(({ page }) => page.number === number);
}

function marginOf({ viewportPx }: Layout): number {
  return Math.max(viewportPx * 1.5, aheadPx);
}
