import type { ServerResponse } from "node:http";
import { Type } from "typebox";
import { identityOf, scopeOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { streamHeaders } from "../headers.ts";
import { noQuery, operation } from "../operation.ts";

/** A reader that has so much still to take is dropped: a stalled one must cost no memory. It can come again and ask GET /jobs. */
const maxBufferedBytes = 1 << 20;
const heartbeatMs = 15_000; // proxies close what is silent for longer

/** Every change of a job's state, as server-sent events (HTML standard, "Server-sent events"). */
export const eventRoutes: Routes = (app, { runner, readers }) => {
  app.get("/events", { config: { access: "see" }, schema: getEvents }, async (request, reply) => {
    const identity = identityOf(request);
    const scope = scopeOf(identity);
    const response = reply.raw;
    readers.add({ response, job: null, identity });
    reply.hijack();
    response.writeHead(200, { ...streamHeaders, "Content-Type": "text/event-stream; charset=utf-8" });
    if (request.method === "HEAD") return void response.end();
    response.write(": changes of state from now on\n\n");
    const send = (text: string): void => sendOrDrop(response, text);
    const unsubscribe = runner.subscribe((job, owner) => {
      if (scope === null || owner === scope) send(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
    });
    const heartbeat = setInterval(() => send(":\n\n"), heartbeatMs);
    response.once("close", () => {
      unsubscribe();
      clearInterval(heartbeat);
    });
  });
};

function sendOrDrop(response: ServerResponse, text: string): void {
  if (response.writableLength > maxBufferedBytes) response.destroy();
  else response.write(text);
}

const getEvents = operation({
  id: "getEvents",
  tag: "output",
  summary: "Every change of a job's state, from now on",
  query: noQuery,
  answers: { 200: { description: "Server-sent events of the type `job`; the data is a Job as JSON", content: { "text/event-stream": Type.String() } } },
  problems: ["too-many-readers"],
});
