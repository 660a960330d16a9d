import { type Identity, scopeOf } from "../identity/identity.ts";
import type { Role } from "../identity/roles.ts";
import { Refusal } from "./refusal.ts";

/**
 * Who may call an operation:
 *
 *     public   everybody; the answer may depend on the identity
 *     see      every role; `submit` for its own jobs only
 *     run      `submit` for its own jobs, and `admin`
 *     admin    `admin`
 */
export type Access = "public" | "see" | "run" | "admin";

const rolesOf: Record<Exclude<Access, "public">, Role[]> = {
  see: ["read", "submit", "admin"],
  run: ["submit", "admin"],
  admin: ["admin"],
};

/** The subject of an operation: one job that its caller names, all jobs that its caller may see, or the service itself. */
type Subject = "job" | "jobs" | "service";

/** Every operation: who may call it, and what it is about. A route names its operation, and has no access rules of its own. */
export const operationTable = {
  listRunning: { access: "see", about: "jobs" },
  submit: { access: "run", about: "jobs" },
  list: { access: "see", about: "jobs" },
  events: { access: "see", about: "jobs" },
  get: { access: "see", about: "job" },
  wait: { access: "see", about: "job" },
  output: { access: "see", about: "job" },
  search: { access: "see", about: "job" },
  style: { access: "see", about: "job" },
  files: { access: "run", about: "job" },
  kill: { access: "run", about: "job" },
  signal: { access: "run", about: "job" },
  remove: { access: "run", about: "job" },
  health: { access: "public", about: "service" },
  metrics: { access: "see", about: "service" },
  box: { access: "see", about: "service" },
  findings: { access: "admin", about: "service" },
  document: { access: "public", about: "service" }, // the API's description, and the page that shows it
  page: { access: "public", about: "service" }, // the files of the web page; its requests carry the identity of its user
} as const satisfies Record<string, { access: Access; about: Subject }>;

export type OperationName = keyof typeof operationTable;
type Table = typeof operationTable;
export type JobOperation = { [Name in OperationName]: Table[Name]["about"] extends "job" ? Name : never }[OperationName];

export function isAboutJob(operation: OperationName): operation is JobOperation {
  return operationTable[operation].about === "job";
}

export function isPublic(operation: OperationName): boolean {
  return operationTable[operation].access === "public";
}

/** Throws a refusal if the identity's role does not permit the operation. */
export function authorize({ role }: Identity, operation: OperationName): void {
  const { access } = operationTable[operation];
  if (access === "public" || rolesOf[access].includes(role)) return;
  throw new Refusal("role-too-small", `the role ${role} may not do this: it requires ${rolesOf[access].join(" or ")}`);
}

/** Whether the identity may see a job with this owner. */
export function mayAccess(identity: Identity, owner: string | null): boolean {
  const scope = scopeOf(identity);
  return scope === null || owner === scope;
}
