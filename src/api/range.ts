import { Problem } from "./problems.ts";

export type ByteRange = { start: number; end: number }; // end exclusive

/**
 * The one range that a Range header asks for in `sizeBytes` bytes (RFC 9110, 14.2). Null: send all bytes, because there is no header, it
 * has another unit, it is not valid, or it has several ranges, for which a server may do so. Throws the Problem if no byte of the range
 * exists.
 *
 * Own code, because the package `range-parser` (1.3.0) answers "not satisfiable" for a suffix longer than the output, which is the whole
 * output (14.1.2), and for a last byte before the first, which makes the header invalid (14.1.1).
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.replaceAll(/\s/g, "") ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return null;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return null;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (start < end) return { start, end };
  const headers = { "Content-Range": `bytes */${sizeBytes}` };
  throw new Problem("no-such-range", `there are ${sizeBytes} bytes, and the range begins after them`, { headers });
}
