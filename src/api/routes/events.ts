import type { ServerResponse } from "node:http";
import { Type } from "typebox";
import type { Routes } from "../context.ts";
import { makeQuery } from "../query.ts";

const noQuery = makeQuery(Type.Object({}, { additionalProperties: false }));

/** A reader that has so much still to take is dropped: a stalled one must cost no memory. It can come again and ask GET /jobs. */
const maxBufferedBytes = 1 << 20;
const heartbeatMs = 15_000; // proxies close what is silent for longer

/** Every change of a job's state, as server-sent events (HTML standard, "Server-sent events"). */
export const eventRoutes: Routes = (app, { runner }) => {
  app.get("/events", async (request, reply) => {
    noQuery(request.query);
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    if (request.method === "HEAD") return void response.end();
    response.write(": changes of state from now on\n\n");
    const send = (text: string): void => sendOrDrop(response, text);
    const unsubscribe = runner.subscribe((job) => send(`event: job\ndata: ${JSON.stringify(job)}\n\n`));
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
