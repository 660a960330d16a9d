import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { isBefore, type LogPoint, type LogRange, ordered } from "../../output/selection.ts";
import type { OutputView } from "./output-view.ts";

/**
 * The browser's selection shows what the rows in the document have of the log's own. `shown` is what was made of it last: where the browser
 * has another one, the reader selected something else.
 */
type Shown = { anchor: LogPoint; focus: LogPoint } | null;
const shown = new WeakMap<HTMLElement, Shown>();

/** Keeps what the reader selects, by mouse, touch or keys, and copies it. */
export function useSelecting({ view, box }: { view: OutputView; box: RefObject<HTMLDivElement | null> }): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const onSelection = (): void => takeSelection(view, element);
    const onDown = (event: MouseEvent): void => {
      if (!event.shiftKey && event.button === 0) view.selection.clear();
    };
    const onCopy = (event: ClipboardEvent): void => {
      if (view.selection.range.value === null || isElsewhere(element)) return;
      event.preventDefault();
      void view.copy();
    };
    const onKey = (event: KeyboardEvent): void => {
      const isInside = element.contains(document.activeElement);
      if (event.key.toLowerCase() !== "a" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || !isInside) return;
      event.preventDefault();
      view.selection.selectAll();
      showSelection(view, element);
    };
    document.addEventListener("selectionchange", onSelection);
    document.addEventListener("copy", onCopy);
    document.addEventListener("keydown", onKey);
    element.addEventListener("mousedown", onDown);
    return () => {
      document.removeEventListener("selectionchange", onSelection);
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("keydown", onKey);
      element.removeEventListener("mousedown", onDown);
    };
  }, [view]);
}

/** Shows what is selected of the rows that are in the document. Call when they have changed. */
export function showSelection(view: OutputView, box: HTMLElement): void {
  const { value: range } = view.selection.range;
  const selection = getSelection();
  if (range === null || selection === null) return;
  const codes = [...box.querySelectorAll<HTMLElement>("code[data-at]")];
  const visible = visibleOf(range, codes);
  shown.set(box, visible);
  const [anchor, focus] = [positionOf(visible?.anchor, codes), positionOf(visible?.focus, codes)];
  if (anchor === null || focus === null) {
    if (selection.anchorNode !== null && box.contains(selection.anchorNode)) selection.removeAllRanges();
    return;
  }
  if (
    selection.anchorNode === anchor.node &&
    selection.anchorOffset === anchor.offset &&
    selection.focusNode === focus.node &&
    selection.focusOffset === focus.offset
  )
    return;
  selection.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
}

function takeSelection(view: OutputView, box: HTMLElement): void {
  const selection = getSelection();
  const anchor = pointOf(box, selection?.anchorNode ?? null, selection?.anchorOffset ?? 0);
  const focus = pointOf(box, selection?.focusNode ?? null, selection?.focusOffset ?? 0);
  if (anchor === null || focus === null) return;
  const before = shown.get(box) ?? null;
  const { value: range } = view.selection.range;
  if (before !== null && range !== null && isSame(before.anchor, anchor)) {
    if (isSame(before.focus, focus)) return;
    view.selection.range.value = { anchor: range.anchor, focus };
  } else view.selection.range.value = isSame(anchor, focus) ? null : { anchor, focus };
  shown.set(box, isSame(anchor, focus) && range === null ? null : { anchor, focus });
}

function isElsewhere(box: HTMLElement): boolean {
  const node = getSelection()?.anchorNode ?? null;
  const active = document.activeElement;
  const isField = active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement;
  return isField || (node !== null && !box.contains(node) && !(getSelection()?.isCollapsed ?? true));
}

/** The part of the range in the rows that are there; null: none. */
function visibleOf(range: LogRange, codes: readonly HTMLElement[]): Shown {
  const [first, last] = [codes[0], codes.at(-1)];
  if (first === undefined || last === undefined) return null;
  const top = { offsetBytes: atOf(first), column: 0 };
  const bottom = { offsetBytes: atOf(last), column: lengthOf(last) };
  const { start, end } = ordered(range);
  if (isBefore(end, top) || isBefore(bottom, start)) return null;
  const within = (point: LogPoint): LogPoint => (isBefore(point, top) ? top : isBefore(bottom, point) ? bottom : point);
  return { anchor: within(range.anchor), focus: within(range.focus) };
}

function isSame(one: LogPoint, other: LogPoint): boolean {
  return one.offsetBytes === other.offsetBytes && one.column === other.column;
}

function atOf(code: HTMLElement): number {
  return Number(code.dataset["at"]);
}

/** The texts of a line that are output. */
function textsIn(code: HTMLElement): Text[] {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node instanceof Text && node.parentElement?.className !== "unseen") texts.push(node);
  }
  return texts;
}

function lengthOf(code: HTMLElement): number {
  return textsIn(code).reduce((sum, { length }) => sum + length, 0);
}

/** Where a place of the browser's is in the log; null: outside of its lines. */
function pointOf(box: HTMLElement, node: Node | null, offset: number): LogPoint | null {
  if (node === null || !box.contains(node)) return null;
  const own = (node instanceof Element ? node : node.parentElement)?.closest(".log-row")?.querySelector("code");
  const codes = own instanceof HTMLElement ? [own] : [...box.querySelectorAll<HTMLElement>("code[data-at]")];
  const place = document.createRange();
  place.setStart(node, offset);
  // In a row, its line; between rows, the last line that begins before the place.
  const code = own instanceof HTMLElement ? own : (codes.findLast((one) => place.comparePoint(one, 0) < 0) ?? codes[0]);
  if (code === undefined || code.dataset["at"] === undefined) return null;
  let column = 0;
  for (const text of textsIn(code)) {
    if (text === node) return { offsetBytes: atOf(code), column: column + offset };
    if (place.comparePoint(text, 0) >= 0) break;
    column += text.length;
  }
  return { offsetBytes: atOf(code), column };
}

function positionOf(point: LogPoint | undefined, codes: readonly HTMLElement[]): { node: Node; offset: number } | null {
  const code = codes.findLast((one) => point !== undefined && atOf(one) <= point.offsetBytes);
  if (code === undefined || point === undefined) return null;
  let left = atOf(code) === point.offsetBytes ? point.column : Infinity;
  const texts = textsIn(code);
  for (const text of texts) {
    if (left <= text.length) return { node: text, offset: left };
    left -= text.length;
  }
  const last = texts.at(-1);
  return last === undefined ? { node: code, offset: code.childNodes.length } : { node: last, offset: last.length };
}
