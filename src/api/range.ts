import { Problem } from "./problems.ts";

export type ByteRange = { start: number; end: number }; // end exclusive

/**
 * The one range that a Range header asks of `sizeBytes` (RFC 9110, 14.2); null where the whole is to be sent: without the header, with
 * another unit, or with several ranges, which a server may answer so. Throws the Problem where nothing of it is there.
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | null {
  const match = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header?.replaceAll(/\s/g, "") ?? "");
  if (match === null || match[0] === "bytes=-") return null;
  const [, first = "", last = ""] = match;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < start) return null; // not valid, so to be ignored
  if (start < end) return { start, end };
  const headers = { "Content-Range": `bytes */${sizeBytes}` };
  throw new Problem("no-such-range", `the output has ${sizeBytes} bytes, and the range begins behind them`, { headers });
}
