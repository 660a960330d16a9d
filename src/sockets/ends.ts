import type { Socket } from "node:net";
import { unmapIPv4 } from "./addresses.ts";

/** Of a connection: ours is local. IPv4 addresses as such, also where the socket is one of IPv6. */
export type Ends = { localAddress: string; localPort: number; remoteAddress: string; remotePort: number };

/** Null where it is no TCP connection, or is gone already. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined) return null;
  return { localAddress: unmapIPv4(localAddress), localPort, remoteAddress: unmapIPv4(remoteAddress), remotePort };
}
