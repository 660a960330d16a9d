import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { Entry } from "../../files/listing.ts";
import { encoded, textOf } from "../../files/names.ts";
import { type InTurn, type Opened, WorkspaceFiles } from "../../files/workspace-files.ts";
import { keyOf } from "../../identity/identity.ts";
import { identityOf } from "../access.ts";
import { audited } from "../audited.ts";
import { limited } from "../body.ts";
import type { App, Context, Routes } from "../context.ts";
import { answered } from "../file-problems.ts";
import { afterOf, namesOf } from "../file-paths.ts";
import { idOf, knownId } from "../ids.ts";
import { Problem } from "../problems.ts";
import { sendFile } from "../send-file.ts";
import type { Shares } from "../shares.ts";
import { type Folder, getFile, putFile, removeFile } from "./files-schemas.ts";

/** The files of a job's workspace, for those who may run jobs: there can be more in them than in the output. */
export const fileRoutes: Routes = (app, context) => {
  app.get("/:id/files/*", { ...run, schema: getFile }, async (request, reply) => {
    const files = filesOf(context, request);
    const path = namesOf(request.params);
    const page = { after: afterOf(request.query.after), limit: request.query.limit ?? defaultPage, isWanted: () => !reply.raw.destroyed };
    const found = await answered(() => {
      return context.turns.run(keyOf(identityOf(request)), {
        isWanted: page.isWanted,
        work: async () => {
          const opened = await files.open(path);
          if (opened.kind === "file") return opened;
          await using folder = opened.folder;
          if (!reply.raw.destroyed) reply.raw.once("close", taken(context.pages, request, "pages of folders")); // one that went before says so no second time
          return { kind: "listing" as const, stats: opened.stats, listing: await files.list(folder, page) };
        },
      });
    });
    if (found.kind === "file") return await sendAndClose(context, { request, reply, opened: found });
    cutOffIfIdle(context, reply);
    const { entries, nextAfter } = found.listing;
    const view: Static<typeof Folder> = {
      Entries: entries.map(viewOf),
      NextAfter: nextAfter === null ? null : encoded(nextAfter),
      Mode: modeOf(found.stats),
    };
    return view;
  });

  app.delete("/:id/files/*", { ...run, schema: removeFile }, async (request) => {
    const { recursive: isRecursive = false } = request.query;
    const path = namesOf(request.params);
    const files = filesOf(context, request);
    const work = (): Promise<number> => files.remove(path, { isRecursive });
    const event = { Event: "file removed", Job: idOf(request.params), Path: textOf(path.join("/")) } as const;
    await audited(context, request, {
      event,
      work: () => answered(() => context.removals.run(keyOf(identityOf(request)), { isWanted: () => true, work })),
    });
    return {};
  });

  void app.register(async (uploads: App) => {
    // A file is not gathered in memory before its route is asked.
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser("*", (_request, payload, parsed) => parsed(null, payload));
    uploads.put("/:id/files/*", { ...run, schema: putFile }, async (request) => {
      const { folder: isFolder = false, mode = isFolder ? "755" : "644" } = request.query;
      const path = namesOf(request.params);
      const event = { Event: isFolder ? "folder made" : "file written", Job: idOf(request.params), Path: textOf(path.join("/")) } as const;
      const put = isFolder ? putFolder : putOneFile;
      await audited(context, request, {
        event,
        work: () => answered(() => put(context, request, { path, mode: Number.parseInt(mode, 8) })),
      });
      return {};
    });
  });
};

const run = { config: { access: "run" } } as const;
const defaultPage = 1000;

function filesOf({ runner, supervisorPath }: Context, request: FastifyRequest): WorkspaceFiles {
  const workspace = runner.workspaceOf(knownId(runner, request.params));
  return new WorkspaceFiles({ ...workspace, program: supervisorPath });
}

/** Until the client has it, a page is in memory; who takes nothing of it is cut off. Not before: to read a huge folder may take longer. */
function cutOffIfIdle({ limits }: Context, { raw }: FastifyReply): void {
  raw.setTimeout(limits.readerTimeoutSeconds * 1000, () => raw.destroy());
}

async function sendAndClose(
  context: Context,
  { request, reply, opened }: { request: FastifyRequest; reply: FastifyReply; opened: Opened & { kind: "file" } },
): Promise<undefined> {
  await using file = opened.file;
  return await sendFile(context, { request, reply, file, stats: opened.stats });
}

type Put = { path: string[]; mode: number };

async function putOneFile(context: Context, request: FastifyRequest, { path, mode }: Put): Promise<void> {
  const { maxFileBytes } = context.limits;
  const content = limited(
    request.raw,
    maxFileBytes,
    `a file must have no more than ${maxFileBytes} bytes (JOBRUNNER_MAX_FILE_BYTES): let the job fetch what is larger`,
  );
  const release = taken(context.descriptors, request, "files being received");
  try {
    await filesOf(context, request).write(path, content, { mode, inTurn: inTurnOf(context, request) });
  } finally {
    release();
  }
}

async function putFolder(context: Context, request: FastifyRequest, { path, mode }: Put): Promise<void> {
  for await (const _ of limited(request.raw, 0, "a folder has no content: send no body with folder=true")) continue;
  await inTurnOf(context, request)(() => filesOf(context, request).makeFolder(path, mode));
}

function inTurnOf({ turns }: Context, request: FastifyRequest): InTurn {
  return (work) => turns.run(keyOf(identityOf(request)), { isWanted: () => true, work });
}

/** Gives back what of the identity's share was taken. */
function taken(shares: Shares, request: FastifyRequest, what: string): () => void {
  const release = shares.take(keyOf(identityOf(request)));
  if (typeof release === "function") return release;
  const { max, maxPerIdentity } = shares.bounds;
  const why = release === "own" ? `${maxPerIdentity} ${what} for this identity` : `${max} ${what}`;
  throw new Problem("too-many-at-once", `there are ${why} already: ask again when some are done`, { headers: { "Retry-After": "1" } });
}

function viewOf(entry: Entry): Static<typeof Folder>["Entries"][number] {
  const names = { Name: textOf(entry.name), EncodedName: encoded(entry.name) };
  if (entry.type === "mount") return { ...names, Type: "mount", SizeBytes: 0, ModifiedAt: null, Mode: "0", Target: null };
  const { type, stats, target } = entry;
  return {
    ...names,
    Type: type,
    SizeBytes: stats.size,
    ModifiedAt: timeOf(stats.mtimeMs),
    Mode: modeOf(stats),
    Target: target === null ? null : textOf(target),
  };
}

function modeOf({ mode }: { mode: number }): string {
  return (mode & 0o7777).toString(8);
}

const [firstMs, endMs] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];

/** Null where it is none that RFC 3339 can say: a file's time is whatever somebody has set. */
function timeOf(ms: number): string | null {
  return ms >= firstMs && ms <= endMs ? new Date(ms).toISOString() : null;
}
