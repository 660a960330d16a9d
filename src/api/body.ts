import type { IncomingMessage } from "node:http";
import { Problem } from "./problems.ts";
import { invalid } from "../operations/refusal.ts";
import { configuredSize } from "../lib/configured-size.ts";

/** The bodies of requests: as bytes, piece by piece, and as JSON. */

/**
 * All bytes of a request's body. Rejects with the Problem if there are too many, or if the connection was closed before the end. It uses
 * events, because for a small request an iterator costs as much as everything else.
 */
export function readBody(request: IncomingMessage, maxBodyBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBodyBytes)
        finish(() =>
          reject(
            new Problem(
              "body-too-large",
              `the body must have no more than ${configuredSize(maxBodyBytes)} (JOBRUNNER_MAX_BODY_BYTES): let the job fetch what is large`,
            ),
          ),
        );
    };
    const onEnd = (): void => finish(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    const onClose = (cause?: Error): void => finish(() => reject(closedEarly(cause)));
    /** Pauses the request; the rest can still be read. */
    const finish = (resolveOrReject: () => void): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (!request.readableEnded) request.pause();
      resolveOrReject();
    };
    if (request.destroyed && !request.readableEnded) return reject(closedEarly());
    request.on("data", onData).once("end", onEnd).once("error", onClose).once("close", onClose);
  });
}

function closedEarly(cause?: unknown): Problem {
  return new Problem("bad-request", "the connection was closed before the body was complete", { cause });
}

/** A body piece by piece. Throws the Problem, with `tooLarge` as its detail, after `maxBytes`; the rest can still be read. */
export async function* limited(request: IncomingMessage, maxBytes: number, tooLarge: string): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const part: Uint8Array = chunk;
      bytes += part.length;
      if (bytes > maxBytes) throw new Problem("body-too-large", tooLarge);
      yield part;
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw closedEarly(cause);
  }
}

/** The value of a JSON body. Throws the Problem if the body is not JSON; the Problem does not repeat what was sent. */
export function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new Problem("invalid-json", 'the body is empty: send a job, for instance {"CommandLine": "echo hello"}');
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw new Problem("invalid-json", "the body is not UTF-8, as JSON must be (RFC 8259)", { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (/\\u[dD][89a-fA-F]/.test(text)) refuseHalfCharacters(value, "the body");
    return value;
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("invalid-json", `the body is not JSON: ${withoutContent(cause)}`, { cause });
  }
}

/** Half of a surrogate pair has no bytes in UTF-8, so a process could not get what was sent. */
function refuseHalfCharacters(value: unknown, field: string): void {
  if (typeof value === "string") {
    if (!value.isWellFormed())
      throw invalid([{ field, message: "holds half of a surrogate pair (\\ud800 to \\udfff), which is no character" }]);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      refuseHalfCharacters(key, field);
      refuseHalfCharacters(part, key);
    }
  }
}

/** The position of the mistake. V8 also quotes the text, which may be a secret. */
function withoutContent(cause: unknown): string {
  const position = cause instanceof Error ? /at position \d+( \(line \d+ column \d+\))?/.exec(cause.message)?.[0] : undefined;
  return position ?? "it is incomplete, or has more text after its end";
}
