import { Type } from "typebox";
import { done, fileOperation, json } from "../operation.ts";

/** What the routes of files take and answer. */

const maxPage = 10_000;
const defaultPage = 1000;
const modes = Type.String({ pattern: "^[0-7]{3}$", description: "permissions, octal; 644, of a folder 755, if it is not given" });

const EntryView = Type.Object(
  {
    Name: Type.String({ description: "for people: what is no UTF-8 is replaced in it" }),
    EncodedName: Type.String({ description: "as it stands in a path, each byte that needs it percent-encoded", examples: ["caf%E9"] }),
    Type: Type.Enum(["file", "folder", "link", "mount", "other"], {
      description: "mount: something is mounted there, of which nothing is looked at; other: a device, FIFO or socket",
    }),
    SizeBytes: Type.Integer({ minimum: 0 }),
    ModifiedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
      description: "null: not within the years 1 to 9999, or not known",
    }),
    Mode: Type.String({ description: "permissions, octal" }),
    Target: Type.Union([Type.String(), Type.Null()], { description: "where a link leads" }),
  },
  { title: "Entry" },
);

export const Folder = Type.Object(
  {
    Entries: Type.Array(EntryView, { description: "in the order of their names' bytes" }),
    NextAfter: Type.Union([Type.String(), Type.Null()], { description: "for after, to get the next page; null: these are the last" }),
    Mode: Type.String({ description: "the folder's permissions, octal" }),
  },
  { title: "Folder" },
);

const fileHeaders = { "File-Mode": { type: "string", description: "the file's permissions, octal" } };

export const getFile = {
  ...fileOperation({
    id: "getFile",
    tag: "files",
    summary: "A file of the job's workspace, or what is in a folder of it",
    description:
      "Links are followed within the workspace, and nowhere else; mounts are not entered. While the job runs, its files are as they are " +
      "at the moment.",
    query: Type.Object(
      {
        after: Type.Optional(Type.String({ description: "of a folder: NextAfter of the page before" })),
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: maxPage,
            default: defaultPage,
            description: "of a folder: how many entries; there can be fewer, NextAfter says if there are more",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    answers: {
      200: {
        description: "The file's bytes, or the folder",
        headers: fileHeaders,
        content: { "application/json": Folder, "application/octet-stream": Type.String() },
      },
      206: { description: "A range of the file", headers: fileHeaders, content: { "application/octet-stream": Type.String() } },
    },
    problems: ["no-such-range", "too-many-readers", "too-many-at-once"],
  }),
  headers: Type.Object({ range: Type.Optional(Type.String({ description: "bytes=, of a file (RFC 9110)" })) }),
};

export const putFile = {
  ...fileOperation({
    id: "putFile",
    tag: "files",
    summary: "Puts a file or folder into the job's workspace",
    description:
      "A file in place of what was there, whole or not at all. A folder where there is none; one that is there gets the permissions. " +
      "Folders on the way are made.",
    query: Type.Object(
      { mode: Type.Optional(modes), folder: Type.Optional(Type.Boolean({ description: "true: a folder, without a body" })) },
      { additionalProperties: false },
    ),
    answers: { 200: json("It is there", done) },
    problems: ["body-too-large", "disk-full", "too-many-at-once"],
  }),
  consumes: ["application/octet-stream"],
  body: Type.Unknown({ description: "the file's bytes" }),
};

export const removeFile = fileOperation({
  id: "removeFile",
  tag: "files",
  summary: "Removes a file or folder of the job's workspace",
  description: "Folders in it that keep their user from removing what they hold get the permission. What is mounted there is not touched.",
  query: Type.Object(
    { recursive: Type.Optional(Type.Boolean({ description: "a folder with all that is in it" })) },
    { additionalProperties: false },
  ),
  answers: { 200: json("It is gone", done) },
  problems: ["not-all-removed", "too-many-at-once"],
});
