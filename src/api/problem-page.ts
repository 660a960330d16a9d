import { chooseType } from "./accept.ts";
import { type Problem, titleOf } from "./problems.ts";

/** A problem as a page, for people who follow a link or mistype an address. Programs get JSON. */

/** Browsers prefer HTML when they navigate; curl and clients accept anything, or JSON. */
export function wantsPage({ method, headers: { accept } }: { method: string; headers: { accept?: string | undefined } }): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return chooseType(accept, ["application/problem+json", "application/json", "text/html"]) === "text/html";
}

/** `url`: of the request. The link is relative to it, so that it works behind a proxy that adds a path. */
export function problemPage({ code, message }: Problem, url: string): string {
  const depth = (url.split("?", 1)[0] ?? "").split("/").length - 2;
  const home = `${"../".repeat(Math.max(0, depth))}ui/`;
  const { title, detail } = nowhere.includes(code)
    ? { title: "There is no page at this address", detail: "The address is mistyped, or what was here has been deleted." }
    : { title: titleOf(code), detail: `${sentence(message)}.` };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · jobrunner</title>
<h1>${escaped(title)}</h1>
<p>${escaped(detail)}
<p><a href="${home}">All jobs</a>
</html>
`;
}

const nowhere: readonly string[] = ["unknown-path", "unknown-job", "unknown-file"];

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
