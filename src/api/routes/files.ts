import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { type Entry, WorkspaceFiles } from "../../files/workspace-files.ts";
import { actorOf } from "../access.ts";
import { limited } from "../body.ts";
import type { App, Context, Routes } from "../context.ts";
import { answered } from "../file-problems.ts";
import { idOf, knownId, unknownJob } from "../ids.ts";
import { done, fileOperation, json } from "../operation.ts";
import { invalid, Problem } from "../problems.ts";
import { sendFile } from "../send-file.ts";

/** The files of a job's workspace, for those who may run jobs: there can be more in them than in the output. */
export const fileRoutes: Routes = (app, context) => {
  app.get("/:id/files/*", { ...run, schema: getFile }, async (request, reply) => {
    const { after = null, limit = defaultPage } = request.query;
    const files = filesOf(context, request);
    const path = pathOf(request);
    return await answered(async () => {
      return await files.look<Static<typeof Folder> | undefined>(path, {
        folder: async (folder) => {
          const { entries, nextAfter } = await files.list(folder, { after, limit });
          return { Entries: entries.map(viewOf), NextAfter: nextAfter };
        },
        file: async (file, stats) => await sendFile(context, { request, reply, file, stats }),
      });
    });
  });

  app.delete("/:id/files/*", { ...run, schema: removeFile }, async (request) => {
    const { recursive: isRecursive = false } = request.query;
    await answered(() => filesOf(context, request).remove(pathOf(request), { isRecursive }));
    context.audit.write(actorOf(request), { Event: "file removed", Job: idOf(request.params), Path: pathOf(request).join("/") });
    return {};
  });

  void app.register(async (uploads: App) => {
    // A file is not gathered in memory before its route is asked.
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser("*", (_request, payload, parsed) => parsed(null, payload));
    uploads.put("/:id/files/*", { ...run, schema: putFile }, async (request) => {
      const { mode = "644" } = request.query;
      const { maxFileBytes } = context.limits;
      const content = limited(request.raw, maxFileBytes, `a file must have no more than ${maxFileBytes} bytes (JOBRUNNER_MAX_FILE_BYTES): let the job fetch what is larger`);
      await answered(() => filesOf(context, request).write(pathOf(request), content, Number.parseInt(mode, 8)));
      context.audit.write(actorOf(request), { Event: "file written", Job: idOf(request.params), Path: pathOf(request).join("/") });
      return {};
    });
  });
};

const run = { config: { access: "run" } } as const;
const defaultPage = 1000;

function filesOf({ runner }: Context, request: FastifyRequest): WorkspaceFiles {
  const workspace = runner.workspace(knownId(runner, request.params));
  if (workspace === null) throw unknownJob();
  return new WorkspaceFiles(workspace);
}

/** By names. Whatever it leads to is for the walk to judge; what no name can be is refused here. */
function pathOf({ params }: FastifyRequest): string[] {
  const path = typeof params === "object" && params !== null && "*" in params ? String(params["*"]) : "";
  const names = path.split("/").filter((name) => name !== "");
  if (path.includes("\0")) throw invalid([{ field: "path", message: "must not hold a NUL character" }]);
  if (names.some((name) => name === "." || name === "..")) throw new Problem("outside-workspace", "the path must not hold . or ..: name the file from the workspace down");
  return names;
}

function viewOf({ name, type, stats, target }: Entry): Static<typeof EntryView> {
  return { Name: name, Type: type, SizeBytes: stats.size, ModifiedAt: stats.mtime.toISOString(), Mode: (stats.mode & 0o7777).toString(8), Target: target };
}

const EntryView = Type.Object(
  {
    Name: Type.String(),
    Type: Type.Enum(["file", "folder", "link", "other"]),
    SizeBytes: Type.Integer({ minimum: 0 }),
    ModifiedAt: Type.String({ format: "date-time" }),
    Mode: Type.String({ description: "permissions, octal" }),
    Target: Type.Union([Type.String(), Type.Null()], { description: "where a link leads" }),
  },
  { title: "Entry" },
);
const Folder = Type.Object({ Entries: Type.Array(EntryView), NextAfter: Type.Union([Type.String(), Type.Null()], { description: "null: these are the last" }) }, { title: "Folder" });

const getFile = fileOperation({
  id: "getFile",
  tag: "files",
  summary: "A file of the job's workspace, or what is in a folder of it",
  description: "Links are followed within the workspace, and nowhere else. While the job runs, its files are as they are at the moment.",
  query: Type.Object(
    {
      after: Type.Optional(Type.String({ description: "of a folder: NextAfter of the page before" })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: defaultPage, description: "of a folder: how many entries" })),
    },
    { additionalProperties: false },
  ),
  headers: Type.Object({ Range: Type.Optional(Type.String({ description: "bytes=, of a file (RFC 9110)" })) }),
  answers: {
    200: { description: "The file's bytes, or the folder", content: { "application/json": Folder, "application/octet-stream": Type.String() } },
    206: { description: "A range of the file", content: { "application/octet-stream": Type.String() } },
  },
  problems: ["no-such-range", "too-many-readers"],
});

const putFile = {
  ...fileOperation({
    id: "putFile",
    tag: "files",
    summary: "Puts a file into the job's workspace",
    description: "In place of what was there, whole or not at all. Folders on the way are made.",
    query: Type.Object({ mode: Type.Optional(Type.String({ pattern: "^[0-7]{3}$", default: "644", description: "permissions, octal" })) }, { additionalProperties: false }),
    answers: { 200: json("It is there", done) },
    problems: ["body-too-large", "disk-full"],
  }),
  consumes: ["application/octet-stream"],
  body: Type.Unknown({ description: "the file's bytes" }),
};

const removeFile = fileOperation({
  id: "removeFile",
  tag: "files",
  summary: "Removes a file or folder of the job's workspace",
  query: Type.Object({ recursive: Type.Optional(Type.Boolean({ description: "a folder with all that is in it" })) }, { additionalProperties: false }),
  answers: { 200: json("It is gone", done) },
});
