import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { Entry } from "../../files/listing.ts";
import { encoded, textOf } from "../../files/names.ts";
import { keyOf } from "../../identity/identity.ts";
import type { Found, JobFiles } from "../../operations/files.ts";
import { Refusal } from "../../operations/refusal.ts";
import type { Shares } from "../../operations/shares.ts";
import { callerOf, identityOf } from "../access.ts";
import { limited } from "../body.ts";
import type { Context, Routes } from "../context.ts";
import { afterOf, namesOf } from "../file-paths.ts";
import { idOf } from "../ids.ts";
import { sendFile } from "../streaming/send-file.ts";
import { type Folder, getFile, putFile, removeFile } from "./files-schemas.ts";
import { configuredSize } from "../../lib/configured-size.ts";

/** The files of a job's workspace, for roles that may run jobs: a workspace can hold more than the output shows. */
export const fileRoutes: Routes = (app, context) => {
  app.get("/:id/files/*", { ...files, schema: getFile }, async (request, reply) => {
    const { after, limit = defaultPage } = request.query;
    const page = { after: afterOf(after), limit, isWanted: () => !reply.raw.destroyed };
    const onFolder = (): void => {
      // a response that is already closed does not emit "close" again
      if (!reply.raw.destroyed) reply.raw.once("close", taken(context.pages, request, "pages of folders"));
    };
    const found = await filesOf(context, request).read(namesOf(request.params.path), page, onFolder);
    if (found.kind === "file") return await sendAndClose(context, { request, reply, opened: found });
    disconnectIfIdle(context, reply);
    const { entries, nextAfter } = found.listing;
    const view: Static<typeof Folder> = {
      Entries: entries.map(viewOf),
      NextAfter: nextAfter === null ? null : encoded(nextAfter),
      Mode: modeOf(found),
    };
    return view;
  });

  app.delete("/:id/files/*", { ...files, schema: removeFile }, async (request) => {
    const { recursive: isRecursive = false } = request.query;
    await filesOf(context, request).remove(namesOf(request.params.path), { isRecursive });
    return {};
  });

  app.put("/:id/files/*", { config: { operation: "files", body: "streamed" }, schema: putFile }, async (request) => {
    const { folder: isFolder = false, mode = isFolder ? "755" : "644" } = request.query;
    const put = isFolder ? putFolder : putOneFile;
    await put(context, request, { path: namesOf(request.params.path), mode: Number.parseInt(mode, 8) });
    return {};
  });
};

const files = { config: { operation: "files" } } as const;
const defaultPage = 1000;

function filesOf({ operations }: Context, request: FastifyRequest): JobFiles {
  return operations.files(callerOf(request), idOf(request.params));
}

/**
 * A page is in memory until the client has received it, so a client that takes nothing is disconnected. The timeout starts when the page is
 * ready, because reading a huge folder may take longer.
 */
function disconnectIfIdle({ limits }: Context, { raw }: FastifyReply): void {
  raw.setTimeout(limits.readerTimeoutSeconds * 1000, () => raw.destroy());
}

async function sendAndClose(
  context: Context,
  { request, reply, opened }: { request: FastifyRequest; reply: FastifyReply; opened: Found & { kind: "file" } },
): Promise<undefined> {
  await using file = opened.file;
  return await sendFile(context, { request, reply, file, stats: opened.stats });
}

type Put = { path: string[]; mode: number };

async function putOneFile(context: Context, request: FastifyRequest, { path, mode }: Put): Promise<void> {
  const { maxFileBytes } = context.limits;
  const most = configuredSize(maxFileBytes);
  const tooLarge = `a file must have no more than ${most} (JOBRUNNER_MAX_FILE_BYTES): let the job fetch larger ones`;
  const files = filesOf(context, request);
  const content = limited(request.raw, maxFileBytes, tooLarge);
  const release = taken(context.descriptors, request, "files being received");
  try {
    await files.write(path, content, mode);
  } finally {
    release();
  }
}

async function putFolder(context: Context, request: FastifyRequest, { path, mode }: Put): Promise<void> {
  const files = filesOf(context, request);
  for await (const _ of limited(request.raw, 0, "a folder has no content: send no body with folder=true")) continue;
  await files.makeFolder(path, mode);
}

/** Takes one of the identity's share. Returns the function that gives it back; throws a refusal if none is left. */
function taken(shares: Shares, request: FastifyRequest, what: string): () => void {
  const release = shares.take(keyOf(identityOf(request)));
  if (typeof release === "function") return release;
  const { max, maxPerIdentity } = shares.bounds;
  const why = release === "own" ? `${maxPerIdentity} ${what} for this identity` : `${max} ${what}`;
  throw new Refusal("too-many-at-once", `there are already ${why}: try again later`, { retryAfterSeconds: 1 });
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

/** Null if RFC 3339 cannot express the time: programs may set any time on a file. */
function timeOf(ms: number): string | null {
  return ms >= firstMs && ms <= endMs ? new Date(ms).toISOString() : null;
}
