import { Type } from "typebox";
import { exampleJob, jobFields } from "./job.ts";
import { Command, JobSpec } from "./spec.ts";

/** A job with its spec, as the API shows it. Secrets are shown by name only; to the role read, the environment too. */

const names = Type.Record(Type.String(), Type.Null(), { description: "the names alone" });
const Environment = Type.Optional(
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), { description: "null: not shown to this role" }),
);
const ShownCommand = Type.Object({ ...Command.properties, Environment }, { additionalProperties: false, title: "ShownCommand" });

const ShownSpec = Type.Object(
  { ...JobSpec.properties, Environment, Commands: Type.Optional(Type.Array(ShownCommand)), Secrets: Type.Optional(names) },
  { additionalProperties: false, title: "ShownSpec", description: "As submitted, without what is secret" },
);

const exampleSpec = {
  Name: "nightly",
  Labels: { team: "db" },
  Environment: { LEVEL: "3" },
  Secrets: { API_KEY: null },
  Commands: [
    { Name: "build", CommandLine: "make -j2" },
    { Name: "test", Args: ["./run-tests"] },
  ],
};

export const WholeJob = Type.Object(
  { ...jobFields, Spec: ShownSpec },
  { title: "WholeJob", description: "A job with what was submitted", examples: [{ ...exampleJob, Spec: exampleSpec }] },
);
