/**
 * Names of files are bytes, not text. Here each character of a name is one of its bytes (latin1), so no name is changed, the order does not
 * depend on an encoding, and a name takes one byte of memory per byte.
 */

export type Name = string;

/** The name as people read it: UTF-8, with U+FFFD in place of invalid bytes. */
export function textOf(name: Name): string {
  return Buffer.from(name, "latin1").toString();
}

export function nameOf(text: string): Name {
  return Buffer.from(text).toString("latin1");
}

/** The name percent-encoded for the path of a URL (RFC 3986). Every name has such a form. */
export function encoded(name: Name): string {
  return name.replaceAll(/[^A-Za-z0-9._~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** The reverse of `encoded`. Characters that are not encoded stay as they are. */
export function decoded(text: string): Name {
  return nameOf(text).replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
