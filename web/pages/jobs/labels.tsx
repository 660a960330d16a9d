import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

type LabelsProps = { labels: Record<string, string>; onLabel: (label: string) => void };

/** As many whole labels as fit, and how many more there are. Only a label that fits nowhere is cut. */
export function Labels({ labels, onLabel }: LabelsProps) {
  const all = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const box = useRef<HTMLSpanElement>(null);
  const widthPx = useWidth(box);
  const count = box.current === null ? all.length : fitting(all, { widthPx, font: fontOf(box.current) });
  const rest = all.slice(count);
  return (
    <span ref={box} role="cell" class="labels">
      {all.slice(0, count).map((label) => (
        <button key={label} class="label" tabIndex={-1} title={`${label}: list only these`} onClick={() => onLabel(label)}>
          {label}
        </button>
      ))}
      {rest.length > 0 && (
        <span class="more muted" title={rest.join("\n")}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}

function useWidth(box: { current: HTMLElement | null }): number {
  const widthPx = useSignal(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => (widthPx.value = element.clientWidth));
    observer.observe(element);
    widthPx.value = element.clientWidth;
    return () => observer.disconnect();
  }, []);
  return widthPx.value;
}

/** As in the style sheet: the padding and border of a label, and the space between two. */
const paddingPx = 20;
const gapPx = 5;
const longestPx = 256;

function fitting(labels: readonly string[], { widthPx, font }: { widthPx: number; font: string }): number {
  const widths = labels.map((label) => Math.min(longestPx, textPx(label, font) + paddingPx));
  const wholePx = widths.reduce((sum, px) => sum + px + gapPx, -gapPx);
  if (wholePx <= widthPx) return labels.length;
  let leftPx = widthPx - textPx(`+${labels.length}`, font);
  const count = widths.findIndex((px) => (leftPx -= px + gapPx) < 0);
  return Math.max(1, count);
}

let context: CanvasRenderingContext2D | null = null;
const known = new Map<string, number>();
const mostKnown = 5000;

function textPx(text: string, font: string): number {
  const key = `${font} ${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  context ??= document.createElement("canvas").getContext("2d");
  if (context === null) return 8 * text.length;
  context.font = font;
  const { width } = context.measureText(text);
  if (known.size >= mostKnown) known.clear();
  known.set(key, width);
  return width;
}

/** The font of labels: of the cell, in their size. */
function fontOf(element: HTMLElement): string {
  return `${0.8 * parseFloat(getComputedStyle(document.documentElement).fontSize)}px ${getComputedStyle(element).fontFamily}`;
}
