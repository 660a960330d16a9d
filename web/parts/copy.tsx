import { say, sayProblem } from "./toasts.tsx";

/** `what`: its name in the message after copying. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await write(text);
    say(`${what} copied`);
  } catch (error) {
    sayProblem(error);
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  return (
    <button type="button" class="small" onClick={() => void copy(text, what)} aria-label={`Copy ${what}`}>
      Copy
    </button>
  );
}

/** Pages from another machine without TLS have no `navigator.clipboard`. */
export async function write(text: string): Promise<void> {
  if (window.isSecureContext) return await navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("this browser does not allow pages served without TLS to copy");
}
