import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import type { Fold } from "../web/output/folds.ts";
import { pagesPx, rowAtPx, rowOfByte, wholePx } from "../web/output/layout.ts";
import { type Line, type Page, pageBytes } from "../web/output/lines.ts";
import type { Metrics } from "../web/output/rows.ts";
import { initialScroll, isFollowing, missingPage, reduce, type ScrollEvent, type ScrollState, scrollTopPx } from "../web/output/scroll.ts";

/** The reader's position in an output: the reducer alone, without a browser. */

const metrics: Metrics = { rowPx: 20, stepPx: 34, columns: null };

test("the end is followed however much is added, measured, wrapped and resized", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(growths, changes), { maxLength: 30 }), (events) => {
      const log = new Log();
      log.send({ kind: "went", goal: { kind: "end" } });
      for (const event of events) {
        log.run(event);
        assert.ok(isFollowing(log.state));
        assert.equal(log.topPx, Math.max(0, wholePx(log.state.layout) - log.state.layout.viewportPx));
        assert.ok(
          log.state.layout.pages.some(({ page }) => page.number === log.pageCount - 1),
          "the last page is loaded",
        );
      }
    }),
  );
});

test("the row at the top keeps its position, whatever is added, loaded, measured, wrapped or resized", () => {
  fc.assert(
    fc.property(places, fc.array(fc.oneof(growths, changes), { maxLength: 30 }), (place, events) => {
      const log = new Log();
      log.toPlace(place);
      const before = log.top();
      for (const event of events) {
        if (event.kind === "scrolled") continue;
        const isRoomBelow = log.topPx + 2 * 2000 < wholePx(log.state.layout); // otherwise the lowest position may be above the row
        log.run(event);
        if (!isRoomBelow) return;
        assert.equal(log.top().offsetBytes, before.offsetBytes);
        assert.ok(log.top().withinPx <= before.withinPx);
      }
      if (log.state.layout.metrics.columns === null) assert.equal(log.top().withinPx, before.withinPx);
    }),
  );
});

test("a target is reached and kept at a third of the viewport while pages are loaded, measured, wrapped and resized", () => {
  fc.assert(
    fc.property(fc.nat({ max: 40 * pageBytes - 1 }), fc.array(fc.oneof(growths, changes), { maxLength: 30 }), (offsetBytes, events) => {
      const log = new Log();
      log.send({ kind: "went", goal: { kind: "target", offsetBytes, share: 1 / 3 } });
      for (const event of events) {
        log.run(event);
        const { layout } = log.state;
        const row = rowOfByte(layout, offsetBytes);
        assert.ok(
          row !== null && row.row.kind === "line" && row.row.line.offsetBytes <= offsetBytes && row.row.line.endBytes > offsetBytes,
        );
        const wantedPx = Math.max(0, row.topPx - layout.viewportPx * (1 / 3));
        assert.equal(log.state.position.kind, "target");
        if (log.state.position.kind === "target" && log.state.position.share === 1 / 3)
          assert.equal(log.topPx, Math.min(wantedPx, Math.max(0, wholePx(layout) - layout.viewportPx)));
        else assert.ok(row.topPx < log.topPx + layout.viewportPx, "a target near the end stays in view");
      }
    }),
  );
});

test("rows above a fold keep their positions, and a step that is folded and unfolded leaves no gap", () => {
  fc.assert(
    fc.property(fc.nat({ max: 15 }), fc.integer({ min: 0, max: 20 }), places, (from, count, place) => {
      const log = new Log();
      log.toPlace(place);
      const before = log.top();
      const fold: Fold = { step: 2, startBytes: from * pageBytes, endBytes: (from + count) * pageBytes };
      log.send({ kind: "folded", folds: [fold] });
      const isInside = before.offsetBytes >= fold.startBytes && before.offsetBytes < fold.endBytes;
      if (!isInside && log.hasRoomBelow()) assert.equal(log.top().offsetBytes, before.offsetBytes);
      log.assertConsecutive();
      log.send({ kind: "folded", folds: [] });
      log.assertConsecutive();
      assert.deepEqual(log.top(), before);
    }),
  );
});

test("wherever the reader scrolls, rows appear once the missing pages are loaded, and loading ends", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -400_000, max: 400_000 }), { minLength: 1, maxLength: 20 }),
      lineCounts,
      (moves, linesPerPage) => {
        const log = new Log({ linesPerPage });
        for (const byPx of moves) {
          log.send({ kind: "scrolled", byPx, isDownToBottom: false });
          const { layout } = log.state;
          assert.ok(pagesPx(layout) > 0 && rowAtPx(layout, log.topPx + Math.min(layout.viewportPx, wholePx(layout)) - 1) !== null);
          log.assertConsecutive();
        }
      },
    ),
  );
});

test("scrolling by some pixels moves the text by as many", () => {
  const log = new Log();
  log.toPlace(20);
  const before = log.topPx;
  const top = log.top();
  log.send({ kind: "scrolled", byPx: 130, isDownToBottom: false });
  assert.equal(log.topPx, before + 130);
  assert.notDeepEqual(log.top(), top);
  log.send({ kind: "scrolled", byPx: -130, isDownToBottom: false });
  assert.deepEqual(log.top(), top);
});

test("until the page of a target is loaded, the visible text stays; a scroll meanwhile cancels the target", () => {
  const log = new Log();
  log.toPlace(3);
  const before = log.top();
  log.state = reduce(log.state, { kind: "went", goal: { kind: "end" } });
  assert.deepEqual([log.state.position.kind, isFollowing(log.state), log.top()], ["going", true, before]);
  const scrolled = reduce(log.state, { kind: "scrolled", byPx: -20, isDownToBottom: false });
  assert.deepEqual([scrolled.position.kind, isFollowing(scrolled)], ["anchor", false]);
  assert.deepEqual(reduce(scrolled, { kind: "loaded", page: pageNumbered(39, 800) }), scrolled, "its page comes too late");
  log.fill();
  assert.equal(log.state.position.kind, "end");
});

test("a wheel that is still turning does not cancel a new target", () => {
  const log = new Log();
  log.toPlace(30);
  log.state = reduce(log.state, { kind: "went", goal: { kind: "target", offsetBytes: 0, share: 1 } });
  log.send({ kind: "scrolled", byPx: -20, isDownToBottom: false });
  assert.deepEqual([log.state.position.kind, log.topPx], ["target", 0]);
});

test("to stop following keeps the visible text in place", () => {
  const log = new Log();
  log.send({ kind: "went", goal: { kind: "end" } });
  const before = log.topPx;
  log.send({ kind: "stoppedFollowing" });
  assert.deepEqual([log.topPx, isFollowing(log.state)], [before, false]);
  const top = log.top();
  log.run({ kind: "grow", pages: 5 });
  assert.deepEqual(log.top(), top);
});

test("scrolling down to the bottom follows the end, scrolling up stops following", () => {
  const log = new Log();
  log.toPlace(10);
  log.send({ kind: "scrolled", byPx: 1e9, isDownToBottom: true });
  assert.equal(log.state.position.kind, "end");
  log.send({ kind: "scrolled", byPx: -50, isDownToBottom: false });
  assert.equal(log.state.position.kind, "anchor");
});

type Growth = { kind: "grow"; pages: number };
type Change = ScrollEvent | Growth | { kind: "measureAll"; px: number };

const growths: fc.Arbitrary<Change> = fc.record({ kind: fc.constant("grow" as const), pages: fc.integer({ min: 0, max: 4 }) });
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("measureAll" as const), px: fc.constantFrom(20, 40, 61.5) }),
  fc.record({
    kind: fc.constant("resized" as const),
    viewportPx: fc.integer({ min: 100, max: 2000 }),
    metrics: fc.constantFrom(metrics, { ...metrics, columns: 30 }, { ...metrics, columns: 80 }),
  }),
);
/** A page that is far from both ends of the output. */
const places = fc.integer({ min: 2, max: 30 });
/** From pages of some long lines to pages of many short lines. */
const lineCounts = fc.constantFrom(4, 8, 100, 800);

/** The reducer, with pages that load immediately. */
class Log {
  state: ScrollState = initialScroll;
  pageCount = 40;
  readonly #linesPerPage: number;

  constructor({ linesPerPage = 800 }: { linesPerPage?: number } = {}) {
    this.#linesPerPage = linesPerPage;
    this.send({ kind: "resized", viewportPx: 600, metrics });
    this.run({ kind: "grow", pages: 0 });
  }

  get topPx(): number {
    return scrollTopPx(this.state);
  }

  /** The reader scrolls to a position in this page. */
  toPlace(number: number): void {
    this.send({ kind: "went", goal: { kind: "target", offsetBytes: number * pageBytes + 1000, share: 1 / 3 } });
    this.send({ kind: "scrolled", byPx: 7, isDownToBottom: false });
  }

  run(event: Change): void {
    if (event.kind === "grow") {
      this.pageCount += event.pages;
      this.send({ kind: "grew", pageCount: this.pageCount, current: this.state.layout.pages.map(({ page }) => page) });
    } else if (event.kind === "measureAll") {
      const rows = this.state.layout.pages.flatMap((page) => page.rows);
      this.send({ kind: "measured", heights: new Map(rows.filter(({ kind }) => kind === "line").map(({ key }) => [key, event.px])) });
    } else this.send(event);
  }

  send(event: ScrollEvent): void {
    this.state = reduce(this.state, event);
    this.fill();
  }

  fill(): void {
    let left = 1000;
    for (let number = missingPage(this.state); number !== null; number = missingPage(this.state)) {
      assert.ok((left -= 1) > 0, "loading comes to an end");
      this.state = reduce(this.state, { kind: "loaded", page: pageNumbered(number, this.#linesPerPage) });
    }
  }

  top(): { offsetBytes: number; withinPx: number } {
    const found = rowAtPx(this.state.layout, this.topPx);
    assert.ok(found !== null);
    return { offsetBytes: found.row.offsetBytes, withinPx: Math.round(100 * (this.topPx - found.topPx)) / 100 };
  }

  hasRoomBelow(): boolean {
    return this.topPx < wholePx(this.state.layout) - this.state.layout.viewportPx;
  }

  assertConsecutive(): void {
    const { pages, visible } = this.state.layout;
    for (const [index, { page }] of pages.entries())
      if (index > 0) assert.equal(page.number, visible.next(pages[index - 1]?.page.number ?? -1), "the loaded pages follow each other");
  }
}

function pageNumbered(number: number, lineCount: number): Page {
  const lineBytes = pageBytes / lineCount;
  const lines = Array.from({ length: lineCount }, (_, index): Line => {
    const offsetBytes = Math.floor(number * pageBytes + index * lineBytes);
    const endBytes = Math.floor(number * pageBytes + (index + 1) * lineBytes);
    const isStepStart = offsetBytes === 0;
    return {
      offsetBytes,
      endBytes,
      time: null,
      step: 1,
      isStepStart,
      lostBytes: 0,
      hasStderr: false,
      isCut: false,
      isOverwritten: false,
      runs: [],
      length: endBytes - offsetBytes,
    };
  });
  return { number, isWhole: true, lines, end: null };
}
