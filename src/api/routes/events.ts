import { Type } from "typebox";
import { keyOf } from "../../identity/identity.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { eventStream } from "../event-stream.ts";
import { streamHeaders } from "../headers.ts";
import { noQuery, operation } from "../operation.ts";
import { stream } from "../streaming/stream.ts";
import { Turns } from "../../operations/turns.ts";

/** How many readers catch up at once, because each keeps a job as text in memory meanwhile. Any number of readers may wait. */
const catchingUp = { atOnce: 16, perIdentity: 4, waitingPerIdentity: Infinity };

/** Every change of a job's state, as server-sent events (HTML standard, "Server-sent events"). */
export const eventRoutes: Routes = (app, context) => {
  const { operations, changes, readers, log } = context;
  const turns = new Turns(catchingUp);
  app.get("/events", { config: { operation: "events" }, schema: getEvents }, async (request, reply) => {
    const caller = callerOf(request);
    const { identity } = caller;
    const { scope } = operations.events(caller);
    const response = reply.raw;
    readers.add({ response, job: null, identity });
    reply.hijack();
    response.writeHead(200, { ...streamHeaders, "Content-Type": "text/event-stream; charset=utf-8" });
    if (request.method === "HEAD") return void response.end();
    const leave = changes.join();
    const start = changes.startOf(lastEventId(request.headers["last-event-id"]));
    const takeTurn = (): Promise<() => void> => turns.take(keyOf(identity), () => !response.destroyed);
    try {
      const open = (signal: AbortSignal): AsyncIterable<Buffer> => eventStream(changes, start, { scope, signal, takeTurn });
      await stream(context, response, { open, readsAhead: false });
    } catch (error) {
      log("info", "a reader of events was disconnected", { err: error });
    } finally {
      leave();
    }
  });
};

function lastEventId(header: string | string[] | undefined): string | null {
  return typeof header !== "string" || header === "" ? null : header;
}

const getEvents = {
  ...operation({
    id: "getEvents",
    tag: "output",
    summary: "Every change of a job's state, from now on or after the last event received",
    description:
      "Every event has an ID. A client that reconnects with the ID as Last-Event-ID gets every change since then, in order, if the " +
      "event is not older than an hour and the service was not restarted. If changes may be missing, an event `missing` says so, and the " +
      "latest state of every job that may have changed follows.",
    query: noQuery,
    answers: {
      200: {
        description:
          "Server-sent events. `job`: the data is a Job as JSON. `missing`: the data has `IsWhole`, false if jobs may have finished " +
          "without an event, and a `Message` for people.",
        content: { "text/event-stream": Type.String() },
      },
    },
    problems: ["too-many-readers"],
  }),
  headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ description: "resume after this event" })) }),
};
