import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A part of the page whose code is loaded when it is first shown. */
export function Later<Props extends object>({ load, props }: { load: () => Promise<ComponentType<Props>>; props: Props }) {
  const [Loaded, setLoaded] = useState<ComponentType<Props> | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = (): void => {
    setProblem(null);
    load().then(
      (page) => setLoaded(() => page),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  useEffect(attempt, []);
  if (Loaded !== null) return <Loaded {...props} />;
  if (problem === null)
    return (
      <p class="page muted" aria-busy="true">
        Loading…
      </p>
    );
  return (
    <div class="page">
      <div class="notice bad">
        This could not be loaded: {problem} <button onClick={attempt}>Try again</button>{" "}
        <button onClick={() => location.reload()}>Reload</button>
      </div>
    </div>
  );
}
