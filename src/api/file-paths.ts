import { Problem } from "./problems.ts";
import { invalid } from "../operations/refusal.ts";
import { decoded, type Name } from "../files/names.ts";

/** Names of files in URLs, which are bytes there (RFC 3986, 2.5), and need not be UTF-8, as the router wants all of a path to be. */

const ofFile = /^((?:\w+:\/\/[^/?#]*)?\/[^/?#]+\/files\/)([^?#]*)(.*)$/s;

/**
 * The URL with each byte of a file's path as a character, which then is UTF-8: so the router gives the path as bytes (latin1), whatever
 * they are.
 */
export function withNamesAsBytes(url: string): string {
  const [, before = "", path, after = ""] = ofFile.exec(url) ?? [];
  if (path === undefined || /%(?![0-9a-f]{2})/i.test(path)) return url; // what is no encoding, the router refuses
  return (
    before +
    path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => encodeURIComponent(String.fromCharCode(Number.parseInt(hex, 16)))) +
    after
  );
}

/** By names. Whatever it leads to is for the walk to judge; what no name can be is refused here. */
export function namesOf(params: unknown): Name[] {
  const path = typeof params === "object" && params !== null && "*" in params ? String(params["*"]) : "";
  const names = path.split("/").filter((name) => name !== "");
  if (path.includes("\0")) throw invalid([{ field: "path", message: "must not hold a NUL character" }]);
  if (names.some((name) => name === "." || name === ".."))
    throw new Problem("outside-workspace", "the path must not hold . or ..: name the file from the workspace down");
  return names;
}

/** Of a page: the NextAfter of the one before. */
export function afterOf(after: string | undefined): Name | null {
  return after === undefined ? null : decoded(after);
}
