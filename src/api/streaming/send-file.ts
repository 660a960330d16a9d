import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { identityOf } from "../access.ts";
import type { Context } from "../context.ts";
import { securityHeaders } from "../headers.ts";
import { idOf } from "../ids.ts";
import { readRange } from "../range.ts";
import { stream } from "./stream.ts";

const chunkBytes = 1 << 18;

type Sending = { request: FastifyRequest; reply: FastifyReply; file: FileHandle; stats: Stats };

/** Answers with an open file of a job, or with the requested range of the file. */
export async function sendFile(context: Context, { request, reply, file, stats }: Sending): Promise<undefined> {
  const { readers, log } = context;
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
  reply.hijack(); // the head is sent, so no error can be answered any more
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  try {
    const result = await stream(context, response, { open: () => chunksOf(file, { start, end }) });
    if (result === "complete") response.end();
  } catch (error) {
    log("warn", "a file could not be sent whole", { job: idOf(request.params), err: error });
  }
}

/** No header for a time that HTTP cannot express: its years have four digits (RFC 9110, 5.6.7). */
function lastModified({ mtime }: Stats): { "Last-Modified"?: string } {
  const text = mtime.toUTCString();
  return /^\w+, \d\d \w+ \d{4} /.test(text) ? { "Last-Modified": text } : {};
}

/** Throws if the file becomes shorter than Content-Length said: the client must not take the part for the whole. */
async function* chunksOf(file: FileHandle, { start, end }: { start: number; end: number }): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(chunkBytes, end - at)), { position: at });
    if (bytesRead === 0) throw new Error("a file became shorter while it was sent");
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
