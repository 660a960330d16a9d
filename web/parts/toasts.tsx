import { signal } from "@preact/signals";
import { problemWords } from "../service/problem-words.ts";

/** Messages at the edge of the page. Errors stay until the user closes them. */

type Toast = { id: number; text: string; isBad: boolean };
const toasts = signal<Toast[]>([]);
let lastId = 0;
const shownMs = 4000;

export function say(text: string): void {
  const id = add(text, false);
  setTimeout(() => remove(id), shownMs);
}

export function sayProblem(error: unknown): void {
  add(problemWords(error), true);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, isBad }) => (
        <div key={id} class={`notice ${isBad ? "bad" : ""}`}>
          <span class="grow">{text}</span>
          <button class="plain small" aria-label="Put away" onClick={() => remove(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}

function add(text: string, isBad: boolean): number {
  lastId += 1;
  toasts.value = [...toasts.value.slice(-3), { id: lastId, text, isBad }];
  return lastId;
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
