import { useEffect } from "preact/hooks";
import type { Job } from "../../src/client/index.ts";
import ownIcon from "../icon.svg";
import failed from "../icons/failed.svg";
import lost from "../icons/lost.svg";
import running from "../icons/running.svg";
import stopped from "../icons/stopped.svg";
import succeeded from "../icons/succeeded.svg";
import waiting from "../icons/waiting.svg";
import { stateWord } from "../service/format.ts";

const icons: Record<Job["State"], string> = {
  Queued: waiting,
  Starting: running,
  Running: running,
  Stopping: running,
  Succeeded: succeeded,
  Failed: failed,
  TimedOut: failed,
  Killed: stopped,
  Lost: lost,
};

/** Names the browser's tab. A job's state comes first, because narrow tabs show the beginning only, and is the tab's icon, too. */
export function useTab(title: string, state: Job["State"] | null = null): void {
  useEffect(() => {
    document.title = [...(state === null ? [] : [stateWord(state)]), title, "jobrunner"].join(" · ");
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    const href = new URL(state === null ? ownIcon : icons[state], document.baseURI).href;
    if (icon !== null && icon.href !== href) icon.href = href; // setting it loads the icon
  }, [title, state]);
}
