import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./parts/dialog.tsx";
import { goTo, hrefs } from "./route.ts";
import { mayRun, session } from "./service/session.ts";

const described: [string, string][] = [
  ["?", "these keys"],
  ["g then j", "the jobs"],
  ["g then b", "the box"],
  ["n", "a new job"],
  ["/", "focus search or filter"],
  ["↓ ↑ or j k", "in the list: next job, previous job"],
  ["Enter", "in the list: open the job"],
  ["Home End", "in the output: go to the start, to the end"],
  ["f", "in a job: turn following on or off"],
  ["w", "in a job: turn wrapping on or off"],
  ["t", "in a job: show or hide times"],
  ["Ctrl+A Ctrl+C", "in the output: select all of it, copy what is selected"],
  ["Esc", "close a dialog or leave a field"],
];

/** Keys that work on every page, and the list of all keys. Each page handles its own keys. */
export function Keys() {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    let before = "";
    const onKey = (event: KeyboardEvent): void => {
      if (!isFree(event) || session.value.kind !== "known") return;
      const keys = before === "g" ? `g${event.key}` : event.key;
      before = event.key;
      if (keys === "?") setShown(true);
      else if (keys === "gj") goTo(hrefs.jobs());
      else if (keys === "gb") goTo(hrefs.box);
      else if (keys === "n" && mayRun.value) goTo(hrefs.new());
      else if (keys === "/") document.querySelector<HTMLElement>("[data-search]")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  if (!isShown) return null;
  return (
    <Dialog title="Keys" onClose={() => setShown(false)}>
      <table class="keys">
        <tbody>
          {described.map(([key, what]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="actions">
        <button onClick={() => setShown(false)}>Close</button>
      </div>
    </Dialog>
  );
}

/** Whether a key is meant for the page, and not for an input field or the browser. */
export function isFree(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const { target } = event;
  return !(
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest("dialog") !== null)
  );
}
