import { Type } from "typebox";
import { pattern } from "./sentences.ts";

/** The schemas of the fields that describe the container of a step. */

// No value begins with "-", because the engine's client would read it as an option.
const imageName = pattern("^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", "must be the name of an image, such as debian:12");
const networkName = pattern("^[A-Za-z0-9][A-Za-z0-9_.-]*$", "must be none, bridge, host or the name of a network");
const userName = pattern(
  "^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$",
  "must be a user of the image, by name or number, as user or user:group",
);
const absolutePath = pattern("^/[^\\u0000]*[^/\\u0000][^\\u0000]*$", "must be an absolute path other than /");

const Mount = Type.Object(
  {
    Source: Type.String({ minLength: 1, maxLength: 4095, pattern: "^[^\\u0000]*$" }),
    Target: Type.String({ maxLength: 4095, ...absolutePath }),
    ReadOnly: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, title: "Mount" },
);

/** Engines refuse less, and a shell needs about this much. */
const minMemoryBytes = 6 << 20;

/** Linux: PID_MAX_LIMIT. */
export const maxPids = 4_194_304;

const Resources = Type.Object(
  {
    MemoryBytes: Type.Optional(Type.Integer({ minimum: minMemoryBytes, maximum: Number.MAX_SAFE_INTEGER })),
    CPUs: Type.Optional(Type.Number({ minimum: 0.01, maximum: 100_000 })),
    Pids: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: maxPids,
        description: "processes and threads; less than 15 counts as 15, so that the container can start",
      }),
    ),
  },
  { additionalProperties: false, title: "Resources", description: "limits of the container" },
);

/** Fields of a command that only a container has. */
export const containerFields = {
  Entrypoint: Type.Optional(
    Type.Array(Type.String({ maxLength: 131_071, pattern: "^[^\\u0000]*$" }), {
      minItems: 1,
      maxItems: 1000,
      description: "argument vector in place of the image's entrypoint",
    }),
  ),
  Mounts: Type.Optional(Type.Array(Mount, { maxItems: 1000, description: "files and folders of the box that the container sees" })),
  Network: Type.Optional(Type.String({ maxLength: 200, ...networkName, description: "none, bridge, host or the name of a network" })),
  User: Type.Optional(Type.String({ maxLength: 200, ...userName, description: "the user in the container: user or user:group" })),
  Pull: Type.Optional(Type.Enum(["missing", "always", "never"], { description: "when the image is pulled; default missing" })),
  Resources: Type.Optional(Resources),
};

export const Image = Type.Optional(
  Type.String({ maxLength: 1000, ...imageName, description: "the step runs in a container of this image, such as debian:12" }),
);
