import type { Socket } from "node:net";
import { unmapIPv4 } from "./addresses.ts";

/** The two ends of a connection; `local` is ours. IPv4 addresses are unmapped, also on an IPv6 socket. */
export type Ends = { localAddress: string; localPort: number; remoteAddress: string; remotePort: number };

/** Null: it is not a TCP connection, or it is already closed. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined) return null;
  return { localAddress: unmapIPv4(localAddress), localPort, remoteAddress: unmapIPv4(remoteAddress), remotePort };
}
