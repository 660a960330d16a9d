import { isIPv4 } from "node:net";

/** An IPv4 address that an IPv6 socket shows as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2), as such; any other as it is, in lower case. */
export function unmapIPv4(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

/** Whether an address, unmapped, is of this box alone. */
export function isLoopback(address: string): boolean {
  return isIPv4(address) ? address.startsWith("127.") : address === "::1";
}

/** Whether a name (RFC 6761, 6.3) or address can lead to this box alone. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
