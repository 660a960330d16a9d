/**
 * Names of files are bytes, not text: here each character of a name is one of its bytes (latin1). So nothing is lost, they have an order
 * that does not depend on an encoding, and take no more memory than they must.
 */

export type Name = string;

/** What names mean to people: as UTF-8, with U+FFFD in place of what is none. */
export function textOf(name: Name): string {
  return Buffer.from(name, "latin1").toString();
}

export function nameOf(text: string): Name {
  return Buffer.from(text).toString("latin1");
}

/** As it stands in the path of a URL, whatever bytes it has (RFC 3986). */
export function encoded(name: Name): string {
  return name.replaceAll(/[^A-Za-z0-9._~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** The other way; what is not encoded stands for itself. */
export function decoded(text: string): Name {
  return nameOf(text).replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
