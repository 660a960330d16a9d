import { Type } from "typebox";
import { done, fileOperation, json } from "../operation.ts";

/** Schemas of the routes for files. */

const maxPage = 10_000;
const defaultPage = 1000;
const modes = Type.String({ pattern: "^[0-7]{3}$", description: "permissions, octal; by default 644, or 755 for a folder" });

const EntryView = Type.Object(
  {
    Name: Type.String({ description: "the name for people: bytes that are not UTF-8 are replaced" }),
    EncodedName: Type.String({ description: "the name for a path: percent-encoded where necessary", examples: ["caf%E9"] }),
    Type: Type.Enum(["file", "folder", "link", "mount", "other"], {
      description: "mount: a mount point, which is not examined; other: a device, FIFO or socket",
    }),
    SizeBytes: Type.Integer({ minimum: 0 }),
    ModifiedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
      description: "null: not known, or not within the years 1 to 9999",
    }),
    Mode: Type.String({ description: "permissions, octal" }),
    Target: Type.Union([Type.String(), Type.Null()], { description: "the target of a link" }),
  },
  { title: "Entry" },
);

export const Folder = Type.Object(
  {
    Entries: Type.Array(EntryView, { description: "sorted by the bytes of their names" }),
    NextAfter: Type.Union([Type.String(), Type.Null()], { description: "the value of `after` for the next page; null: this is the last" }),
    Mode: Type.String({ description: "the folder's permissions, octal" }),
  },
  { title: "Folder" },
);

const fileHeaders = { "File-Mode": { type: "string", description: "the file's permissions, octal" } };

export const getFile = {
  ...fileOperation({
    id: "getFile",
    tag: "files",
    summary: "A file of the job's workspace, or the entries of a folder",
    description:
      "Links are followed only within the workspace, and mounts are not entered. While the job runs, its files may change at any time.",
    query: Type.Object(
      {
        after: Type.Optional(Type.String({ description: "for a folder: NextAfter of the previous page" })),
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: maxPage,
            default: defaultPage,
            description: "for a folder: the most entries of a page; a page may have fewer, and NextAfter says whether there are more",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    answers: {
      200: {
        description: "The file's bytes, or the folder's entries",
        headers: fileHeaders,
        content: { "application/json": Folder, "application/octet-stream": Type.String() },
      },
      206: { description: "A range of the file", headers: fileHeaders, content: { "application/octet-stream": Type.String() } },
    },
    problems: ["no-such-range", "too-many-readers", "too-many-at-once"],
  }),
  headers: Type.Object({ range: Type.Optional(Type.String({ description: "a range in bytes of a file (RFC 9110)" })) }),
};

export const putFile = {
  ...fileOperation({
    id: "putFile",
    tag: "files",
    summary: "Puts a file or folder into the job's workspace",
    description:
      "A file replaces an existing file, completely or not at all. A folder is created if it does not exist; an existing folder gets the " +
      "permissions. Missing parent folders are created.",
    query: Type.Object(
      {
        mode: Type.Optional(modes),
        folder: Type.Optional(Type.Boolean({ description: "true: create a folder; the request has no body" })),
      },
      { additionalProperties: false },
    ),
    answers: { 200: json("The file or folder is stored", done) },
    problems: ["body-too-large", "disk-full", "too-many-at-once"],
  }),
  consumes: ["application/octet-stream"],
  body: Type.Unknown({ description: "the file's bytes" }),
};

export const removeFile = fileOperation({
  id: "removeFile",
  tag: "files",
  summary: "Removes a file or folder of the job's workspace",
  description: "Folders whose permissions prevent the removal get the missing permissions. Mounts are not entered.",
  query: Type.Object(
    { recursive: Type.Optional(Type.Boolean({ description: "true: remove a folder with everything in it" })) },
    { additionalProperties: false },
  ),
  answers: { 200: json("The file or folder is removed", done) },
  problems: ["not-all-removed", "too-many-at-once"],
});
