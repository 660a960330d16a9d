import type { FastifySchema, RouteOptions } from "fastify";

/** A route. `upgrade`: the protocol to which it can change a connection; null: none. */
export type Route = { method: string; url: string; schema: FastifySchema | null; upgrade: string | null };

type Entry = Route & { pattern: RegExp };

/** Every route of the app: what is asked about all of them is derived from their declarations. */
export class RouteTable {
  readonly #entries: Entry[] = [];
  /** Methods by path, of those paths that consist of one name, such as /jobs. */
  readonly #names = new Map<string, Set<string>>();

  add({ method: methods, url, schema, config }: Pick<RouteOptions, "method" | "url" | "schema" | "config">): void {
    for (const method of [methods].flat()) {
      this.#entries.push({ method, url, schema: schema ?? null, upgrade: config?.upgrade ?? null, pattern: patternOf(url) });
      const [, name = ""] = url.split("/");
      if (name === "" || name.startsWith(":")) continue;
      const ofName = this.#names.get(`/${name}`) ?? new Set();
      this.#names.set(`/${name}`, url === `/${name}` ? ofName.add(method) : ofName);
    }
  }

  get all(): readonly Route[] {
    return this.#entries;
  }

  /** The methods that the path of a URL has. */
  methodsAt(url: string): string[] {
    const path = pathOf(url);
    const ofName = this.#names.get(path);
    if (ofName !== undefined) return [...ofName];
    return [...new Set(this.#entries.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  }

  /**
   * Whether the path is a name of the API without this method. The router would take the name for a job's ID: `DELETE /jobs` is no kill.
   */
  isReserved(method: string, url: string): boolean {
    return this.#names.get(pathOf(url))?.has(method) === false;
  }

  /** Whether a route of this method and path can change a connection to one of the protocols. */
  hasUpgrade(method: string, url: string, protocols: string[]): boolean {
    const path = pathOf(url);
    return this.#entries.some(
      ({ upgrade, ...route }) => upgrade !== null && protocols.includes(upgrade) && route.method === method && route.pattern.test(path),
    );
  }
}

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll(/:\w+/g, "[^/]+").replace("*", ".*")}$`);
}
