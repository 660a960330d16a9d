import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { sendChunks } from "../output/send.ts";
import { identityOf } from "./access.ts";
import type { Context } from "./context.ts";
import { securityHeaders } from "./headers.ts";
import { idOf } from "./ids.ts";
import { readRange } from "./range.ts";

const chunkBytes = 1 << 18;

type Sending = { request: FastifyRequest; reply: FastifyReply; file: FileHandle; stats: Stats };

/** An open file of a job as the answer, or the range of it that was asked for. */
export async function sendFile(context: Context, { request, reply, file, stats }: Sending): Promise<undefined> {
  const { readers, limits, sockets, metrics, log } = context;
  const range = readRange(request.headers.range, stats.size);
  const { start, end } = range ?? { start: 0, end: stats.size };
  const identity = identityOf(request);
  readers.add({ response: reply.raw, job: idOf(request.params), identity });
  const response = reply.raw.writeHead(range === null ? 200 : 206, {
    ...securityHeaders,
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",
    "Content-Length": String(end - start),
    "File-Mode": (stats.mode & 0o7777).toString(8),
    ...lastModified(stats),
    "Accept-Ranges": "bytes",
    ...(range === null ? {} : { "Content-Range": `bytes ${start}-${end - 1}/${stats.size}` }),
  });
  reply.hijack(); // from here on there is nobody to answer for an error
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const unacknowledged = ({ socket }: ServerResponse): Promise<number | null> => sockets.unacknowledgedBytes(socket);
  try {
    const result = await sendChunks(response, () => chunksOf(file, { start, end }), {
      stallTimeoutMs: limits.readerTimeoutSeconds * 1000,
      unacknowledged,
    });
    if (result === "stalled") metrics.dropped("stalled");
    if (result === "complete") response.end();
  } catch (error) {
    log("warn", "a file could not be sent whole", { job: idOf(request.params), err: error });
  }
}

/** Not where it is a time that HTTP cannot say: it has years of four digits (RFC 9110, 5.6.7). */
function lastModified({ mtime }: Stats): { "Last-Modified"?: string } {
  const text = mtime.toUTCString();
  return /^\w+, \d\d \w+ \d{4} /.test(text) ? { "Last-Modified": text } : {};
}

/** Throws where the file has become shorter than it was said to be: the client must not take it for the whole. */
async function* chunksOf(file: FileHandle, { start, end }: { start: number; end: number }): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(chunkBytes, end - at)), { position: at });
    if (bytesRead === 0) throw new Error("a file became shorter while it was sent");
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
