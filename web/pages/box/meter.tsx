/** How much of a resource is used. `share`: 0 to 1, or more if it can be exceeded; null: unknown. */
export function Meter({ name, share, words }: { name: string; share: number | null; words: string }) {
  const shown = Math.min(1, Math.max(0, share ?? 0));
  const level = shown > 0.95 ? "is-bad" : shown > 0.8 ? "is-warn" : "";
  return (
    <div class="meter">
      <span>{name}</span>
      <span class="muted">{words}</span>
      <span
        class="meter-track"
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(shown * 100)}
        aria-valuetext={words}
      >
        <i class={level} style={{ width: `${shown * 100}%` }} />
      </span>
    </div>
  );
}
