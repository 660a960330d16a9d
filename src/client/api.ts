import type { Answer, Answered } from "./answered.ts";
import type { paths } from "./openapi.ts";
import type { Transport } from "./transport.ts";

/**
 * The calls of the API, typed by its OpenAPI document. They avoid the platform's Request, Headers and Response: in Node.js, loading these
 * takes a short command longer than loading everything else.
 */

type Method = "GET" | "POST" | "DELETE";
type Operation<Verb extends Method, Path extends keyof paths> = paths[Path][Lowercase<Verb>];
/** The paths that have the method. */
type PathsOf<Verb extends Method> = {
  [Path in keyof paths]: Operation<Verb, Path> extends { responses: object } ? Path : never;
}[keyof paths];

type Parameters<Of> = Of extends { parameters: infer All } ? Pick<All, keyof All & ("path" | "query" | "header")> : never;
type Call = { headers?: Record<string, string>; signal: AbortSignal };
type Init<Of> = Call &
  (object extends Parameters<Of> ? { params?: Parameters<Of> } : { params: Parameters<Of> }) &
  (Of extends { requestBody: { content: { "application/json": infer Body } } } ? { body: Body } : { body?: never });

type Success = 200 | 201;
type Data<Of> = Of extends { responses: infer All } ? JsonOf<All[keyof All & Success]> : never;
type JsonOf<Response> = Response extends { content: { "application/json": infer Json } } ? Json : never;

type Untyped = Call & { params?: { path?: object; query?: object; header?: object } | undefined; body?: unknown };

export class Api {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get<Path extends PathsOf<"GET">>(path: Path, init: Init<Operation<"GET", Path>>): Promise<Answer<Data<Operation<"GET", Path>>>> {
    return this.#json("GET", path, init);
  }

  post<Path extends PathsOf<"POST">>(path: Path, init: Init<Operation<"POST", Path>>): Promise<Answer<Data<Operation<"POST", Path>>>> {
    return this.#json("POST", path, init);
  }

  delete<Path extends PathsOf<"DELETE">>(
    path: Path,
    init: Init<Operation<"DELETE", Path>>,
  ): Promise<Answer<Data<Operation<"DELETE", Path>>>> {
    return this.#json("DELETE", path, init);
  }

  /** For server-sent events: gives a successful answer with its body as a stream. */
  getEvents<Path extends PathsOf<"GET">>(path: Path, init: Init<Operation<"GET", Path>>): Promise<Answer<Answered>> {
    return this.#events("GET", path, init);
  }

  /** The same for a request with a body. */
  postForEvents<Path extends PathsOf<"POST">>(path: Path, init: Init<Operation<"POST", Path>>): Promise<Answer<Answered>> {
    return this.#events("POST", path, init);
  }

  async #events(method: Method, path: string, { headers, ...init }: Untyped): Promise<Answer<Answered>> {
    const response = await this.#send(method, path, { ...init, headers: { Accept: "text/event-stream", ...headers } });
    return response.ok ? { response, data: response } : await refused(response);
  }

  async #json<What>(method: Method, path: string, init: Untyped): Promise<Answer<What>> {
    const response = await this.#send(method, path, init);
    if (!response.ok) return await refused(response);
    const text = await response.text();
    if (text === "") return { response };
    const data: What = JSON.parse(text);
    return { response, data };
  }

  #send(
    method: Method,
    path: string,
    { params: { path: names, query, header } = {}, headers = {}, body, signal }: Untyped,
  ): Promise<Answered> {
    const fields = Object.fromEntries(given(header).map(([name, value]) => [name, String(value)]));
    const json = body === undefined ? {} : { "Content-Type": "application/json" };
    return this.#transport.send(`${filled(path, new Map(given(names)))}${queryOf(query)}`, {
      method,
      headers: { ...json, ...headers, ...fields },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
  }
}

async function refused(response: Answered): Promise<{ response: Answered; error: unknown }> {
  const text = await response.text();
  try {
    return { response, error: JSON.parse(text) };
  } catch {
    return { response, error: text }; // from a proxy
  }
}

function given(values: object | undefined): [string, unknown][] {
  return Object.entries(values ?? {}).filter(([, value]) => value !== undefined);
}

/** Replaces each `{name}` by its value. */
function filled(path: string, values: Map<string, unknown>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values.get(name))));
}

/** A list becomes a repeated parameter. */
function queryOf(values: object | undefined): string {
  const parts = given(values).flatMap(([name, value]) => [value].flat().map((one) => `${name}=${encodeURIComponent(String(one))}`));
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
