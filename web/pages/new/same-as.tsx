import { useState } from "preact/hooks";
import type { JobSpec } from "../../../src/client/index.ts";
import { CopyButton } from "../../parts/copy.tsx";
import { useKnown } from "../../parts/use-known.ts";
import { serviceUrl } from "../../service/session.ts";
import { asCurl, asJson, asRun } from "./same.ts";

const kinds = ["curl", "jobrunner run", "JSON"] as const;

/** The same job as one would type it in a terminal. */
export function Same({ spec }: { spec: JobSpec }) {
  const { token } = useKnown();
  const [kind, setKind] = useState<(typeof kinds)[number]>("curl");
  const text = { curl: asCurl(spec, { url: serviceUrl, hasToken: token !== null }), "jobrunner run": asRun(spec), JSON: asJson(spec) }[
    kind
  ];
  return (
    <section class="same" aria-labelledby="same-title">
      <div class="row">
        <h2 id="same-title">The same as</h2>
        <div class="row" role="group" aria-label="Format">
          {kinds.map((one) => (
            <button key={one} type="button" class="small" aria-pressed={one === kind} onClick={() => setKind(one)}>
              {one}
            </button>
          ))}
        </div>
        <span class="grow" />
        <CopyButton text={text} what={kind} />
      </div>
      <pre tabIndex={0} aria-label={`The job as ${kind}`}>
        {text}
      </pre>
      {spec.Secrets !== undefined && (
        <p class="muted">
          The values of secrets are not shown
          {kind === "jobrunner run" ? "; there they are those of the variables of these names" : ": put them in place of …"}.
        </p>
      )}
    </section>
  );
}
