import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { fastify, type FastifyInstance, type FastifySchema } from "fastify";
import { Type } from "typebox";
import { withoutCompilers } from "./compilers.ts";
import { headerName, securityHeaders } from "./headers.ts";
import { Problem } from "./problems.ts";
import { sendProblem } from "./send-problem.ts";
import type { Route } from "./route-table.ts";

/**
 * The description of the API (OpenAPI 3.1), generated from the routes, and a page that shows it: `/openapi.json` and `/docs`. It is a
 * separate app that is loaded on first use, because most services never need it.
 */

export async function makeDocs(routes: readonly Route[], version: string): Promise<FastifyInstance> {
  const app = fastify({ ...withoutCompilers, logger: false, exposeHeadRoutes: true });
  app.setValidatorCompiler(() => (value: unknown) => ({ value }));
  app.setSerializerCompiler(() => JSON.stringify);
  app.addHook("onRequest", async (_request, reply) => void reply.headers(securityHeaders));
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.1",
      info: { title: "jobrunner", version, description, license: { name: "Apache 2.0", identifier: "Apache-2.0" } },
      tags: [
        { name: "jobs", description: "submit, list, wait for, kill and remove jobs" },
        { name: "output", description: "the output of jobs, live, and every change of state" },
        { name: "files", description: "the files of a job's workspace" },
        { name: "service", description: "the state of the service and the machine" },
      ],
    },
    transformObject: (document) => ("openapiObject" in document ? nameSchemas(document.openapiObject) : document.swaggerObject),
  });
  // These routes only describe the API; the main app answers their requests.
  for (const { method, url, schema } of routes) {
    if (schema === null || method === "HEAD") continue; // Fastify adds HEAD
    app.route({ method, url: url.replace("*", ":path"), schema: withHeaderNames(schema), handler: async () => undefined });
  }
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: pageSecurityPolicy,
    theme: { title: "jobrunner API" },
    uiConfig: { tryItOutEnabled: true, validatorUrl: null },
  });
  app.setNotFoundHandler((_request, reply) => {
    const problem = new Problem("unknown-path", "the API's description has no page at this path: begin at /docs");
    sendProblem(reply, problem);
  });
  await app.ready();
  return app;
}

const description = `Runs jobs on this machine, and lets people watch them live. JSON fields are in PascalCase, query parameters in lower
case, times in RFC 3339 (UTC). A body is read as JSON whatever its Content-Type. Unknown fields and parameters are refused by name.`;

function withHeaderNames(schema: FastifySchema): FastifySchema {
  if (!Type.IsObject(schema.headers)) return schema;
  const properties = Object.entries(schema.headers.properties).map(([name, value]) => [headerName(name), value]);
  return { ...schema, headers: { ...schema.headers, properties: Object.fromEntries(properties) } };
}

/** The page loads nothing from other sites. 'unsafe-inline', because it sets styles of its own elements. */
const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const securitySchemes = {
  token: { type: "http", scheme: "bearer", description: "a token from `jobrunner token create`" },
  certificate: { type: "mutualTLS", description: "a client certificate of an authority in JOBRUNNER_TLS_CLIENT_CA" },
};

/** The empty alternative: the service's own user and root need no credentials over loopback or the unix socket. */
const security = [{ token: [] }, { certificate: [] }, {}];

type Parts = Record<string, unknown>;

/** Moves each schema whose title is a name to `components`, and replaces it by a reference. */
function nameSchemas<Document extends { paths?: unknown }>(document: Document): Document {
  const named: Parts = {};
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, part]): [string, unknown] => [key, key === "examples" ? part : walk(part)]);
    const { title, ...schema }: Parts = Object.fromEntries(entries);
    if (typeof title !== "string" || !/^[A-Z][A-Za-z]+$/.test(title)) return title === undefined ? schema : { title, ...schema };
    named[title] = schema;
    return { $ref: `#/components/schemas/${title}` };
  };
  const paths = walk(document.paths);
  const schemas = Object.fromEntries(Object.entries(named).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, components: { securitySchemes, schemas }, security, paths };
}
