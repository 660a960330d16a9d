import { isIPv4 } from "node:net";

/** Turns the form in which an IPv6 socket shows an IPv4 address, ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2), into 192.0.2.1. In lower case. */
export function unmapIPv4(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

/** Whether an unmapped address is a loopback address. */
export function isLoopback(address: string): boolean {
  return isIPv4(address) ? address.startsWith("127.") : address === "::1";
}

/** Whether a name (RFC 6761, 6.3) or address can only lead to this machine. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
