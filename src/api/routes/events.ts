import { Type } from "typebox";
import { keyOf } from "../../identity/identity.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { eventStream } from "../event-stream.ts";
import { streamHeaders } from "../headers.ts";
import { noQuery, operation } from "../operation.ts";
import { stream } from "../streaming/stream.ts";
import { Turns } from "../../operations/turns.ts";

/**
 * So many readers are told at once what they missed: each holds a job of some size as text meanwhile. All of one identity may wait for it.
 */
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
      log("info", "a reader of events was cut off", { err: error });
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
    summary: "Every change of a job's state, from now on or from where one was",
    description:
      `Every event has an id. Whoever comes back with it as Last-Event-ID is told of every change since, in order, if it was ` +
      `in the last hour and the service was not
restarted. Where changes may be missing, an event \`missing\` says so, and the latest state of every job that may have changed since ` +
      `follows.`,
    query: noQuery,
    answers: {
      200: {
        description:
          "Server-sent events of the type `job`, the data is a Job as JSON; and `missing`: `IsWhole` false where jobs may have ended " +
          "that no event tells of, and a `Message` for people",
        content: { "text/event-stream": Type.String() },
      },
    },
    problems: ["too-many-readers"],
  }),
  headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ description: "goes on behind this event" })) }),
};
