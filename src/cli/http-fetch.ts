import { Agent, type AgentOptions, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Readable } from "node:stream";
import { Silence } from "../client/errors.ts";
import { ProxyError, type ProxySettings } from "./proxy.ts";
import type { Answered, Fetch, FetchInit } from "../client/index.ts";
import type { Reader } from "../client/answered.ts";

/** Each is PEM; undefined: the authorities that Node.js trusts, and no client certificate. */
type Tls = { ca: string | undefined; cert: string | undefined; key: string | undefined };

/**
 * The part of fetch that the client needs, on node:http. That supports unix sockets and client certificates, has no time limit of five
 * minutes for silent answers, and loads in a fraction of the time, as long as nothing uses the platform's Headers, Response or Blob.
 */
export function makeFetch({ socketPath, tls, proxy = null }: { socketPath: string | null; tls: Tls; proxy?: ProxySettings | null }): Fetch {
  let sender: Promise<Send> | null = null;
  return async (url, { method, headers, body, signal }) => {
    sender ??= url.startsWith("https:") ? secureSender(tls, proxy) : plainSender(socketPath, proxy);
    const send = await sender;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = send(url, { method, headers: { ...headers, ...lengthOf(body) }, ...(signal === null ? {} : { signal }) });
      // Longer than any answer of the API takes to begin. The client has tighter limits, but does not know how much of a body was sent.
      sent.setTimeout(idleMs, () => sent.destroy(new Silence(idleMs)));
      sent.once("response", (response) => {
        sent.setTimeout(0);
        resolve(response);
      });
      // also errors after the response, which its body reports
      sent.on("error", (error) => reject(proxy === null ? error : new ProxyError(proxy.variable, error)));
      if (body === null || typeof body === "string" || body instanceof Uint8Array) sent.end(body);
      else sendStream(body, sent).catch(reject);
    });
    return asAnswered(response);
  };
}

const idleMs = 75_000;

type Send = (url: string, options: { method: string; headers: Record<string, string>; signal?: AbortSignal }) => ClientRequest;

async function plainSender(socketPath: string | null, proxy: ProxySettings | null): Promise<Send> {
  const agent = new Agent({ keepAlive: true, ...proxyOptions(proxy) });
  return (url, options) => request(url, { ...options, agent, ...(socketPath === null ? {} : { socketPath }) });
}

/** TLS is loaded only if needed. Most commands talk to their own machine. */
async function secureSender(tls: Tls, proxy: ProxySettings | null): Promise<Send> {
  const { Agent: SecureAgent, request: requestSecurely } = await import("node:https");
  const agent = new SecureAgent({ keepAlive: true, ...tls, ...proxyOptions(proxy) });
  return (url, options) => requestSecurely(url, { ...options, agent });
}

function proxyOptions(proxy: ProxySettings | null): AgentOptions {
  return proxy === null ? {} : { proxyEnv: proxy.variables };
}

/** Code for streams is loaded only when files are copied. */
async function sendStream(body: Blob | ReadableStream<Uint8Array>, sent: ClientRequest): Promise<void> {
  const [{ Readable }, { pipeline }] = await Promise.all([import("node:stream"), import("node:stream/promises")]);
  await pipeline(Readable.fromWeb(body instanceof Blob ? body.stream() : body), sent);
}

/** The length of a stream is unknown, so it is sent in chunks. */
function lengthOf(body: FetchInit["body"]): { "Content-Length"?: string } {
  if (body === null) return {};
  if (typeof body === "string") return { "Content-Length": String(Buffer.byteLength(body)) };
  if (body instanceof Uint8Array) return { "Content-Length": String(body.byteLength) };
  return body instanceof Blob ? { "Content-Length": String(body.size) } : {};
}

function asAnswered(response: IncomingMessage): Answered {
  const { statusCode: status = 0, statusMessage: statusText = "", headersDistinct } = response;
  const isEmpty = status === 204 || status === 304;
  if (isEmpty) response.resume();
  return {
    status,
    statusText,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => headersDistinct[name.toLowerCase()]?.join(", ") ?? null },
    body: isEmpty ? null : { getReader: () => readerOf(response), cancel: async () => void response.destroy() },
    text: async () => (isEmpty ? "" : await textOf(response)),
  };
}

async function textOf(response: Readable): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

function readerOf(response: Readable): Reader {
  const chunks: AsyncIterator<Uint8Array> = response[Symbol.asyncIterator]();
  let isCancelled = false;
  return {
    read: async () => {
      try {
        const { done, value } = await chunks.next();
        return done === true ? { done } : { done: false, value };
      } catch (error) {
        if (isCancelled) return { done: true };
        throw error;
      }
    },
    cancel: async () => {
      isCancelled = true;
      response.destroy();
    },
  };
}
