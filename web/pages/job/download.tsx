import { useState } from "preact/hooks";
import type { WholeJob } from "../../../src/client/index.ts";
import { say, sayProblem } from "../../parts/toasts.tsx";
import { useKnown } from "../../parts/use-known.ts";
import { serviceUrl } from "../../service/session.ts";

/** Downloads the present output as a file. */
export function Download({ job }: { job: WholeJob }) {
  const { token } = useKnown();
  const [isBusy, setBusy] = useState(false);
  const name = `${(job.Name ?? "job").replaceAll(/[^\w.-]+/g, "-")}-${job.ID}.log`;
  const url = `${serviceUrl}/${job.ID}/attach?follow=false`;
  if (token === null)
    return (
      <a class="button small" href={url} download={name}>
        Download
      </a>
    );
  const fetchAndSave = async (): Promise<void> => {
    setBusy(true);
    try {
      await save(url, { token, name });
    } catch (error) {
      sayProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button class="small" disabled={isBusy} onClick={() => void fetchAndSave()}>
      {isBusy ? "Downloading…" : "Download"}
    </button>
  );
}

/** Not a link, which could not send the token. The browser stores the data in a file, not in the page's memory. */
async function save(url: string, { token, name }: { token: string; name: string }): Promise<void> {
  say("the download has started");
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`the output could not be downloaded: ${response.status} ${response.statusText}`);
  const object = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = object;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(object), 60_000);
}
