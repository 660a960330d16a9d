import { Refusal } from "../operations/refusal.ts";
import { decoded, type Name } from "../files/names.ts";

/** Names of files in URLs, which are bytes (RFC 3986, 2.5). They need not be UTF-8, but the router accepts only paths that are. */

const ofFile = /^((?:\w+:\/\/[^/?#]*)?\/[^/?#]+\/files\/)([^?#]*)(.*)$/s;

/**
 * The URL with each byte of a file's path as one character, in UTF-8. So the router accepts any bytes, and gives the path with one
 * character per byte (latin1).
 */
export function withNamesAsBytes(url: string): string {
  const [, before = "", path, after = ""] = ofFile.exec(url) ?? [];
  if (path === undefined || /%(?![0-9a-f]{2})/i.test(path)) return url; // the router refuses it
  return (
    before +
    path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => encodeURIComponent(String.fromCharCode(Number.parseInt(hex, 16)))) +
    after
  );
}

/** The names on a path from the workspace down. */
export function namesOf(path: string): Name[] {
  return path.split("/").filter((name) => name !== "");
}

/** What is wrong with the path itself, or null. The walk checks where the path leads. */
export function findPathProblem(path: string): string | Refusal | null {
  if (path.includes("\0")) return "must not hold a NUL character";
  if (namesOf(path).some((name) => name === "." || name === ".."))
    return new Refusal("outside-workspace", "the path must not hold . or ..: name the file from the workspace down");
  return null;
}

/** The name after which a page begins: NextAfter of the page before. */
export function afterOf(after: string | undefined): Name | null {
  return after === undefined ? null : decoded(after);
}
