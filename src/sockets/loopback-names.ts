import { isIPv4 } from "node:net";

/** Whether a name (RFC 6761, 6.3) or address can lead to this box alone. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
