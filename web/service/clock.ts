import { signal } from "@preact/signals";

/** The service's time, updated every second. Running durations use it, because the clock of this device may be wrong. */
export const nowMs = signal(Date.now());

let aheadMs = 0;

/** `now`: the service's time, RFC 3339. */
export function setClock(now: string): void {
  aheadMs = Date.parse(now) - Date.now();
  tick();
}

function tick(): void {
  nowMs.value = Date.now() + aheadMs;
}

setInterval(() => {
  if (document.visibilityState === "visible") tick();
}, 1000);
document.addEventListener("visibilitychange", tick);
