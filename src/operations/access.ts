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

/** Every operation, and who may call it. A route names its operation; that is its access, and it has no other. */
export const operationAccess = {
  listRunning: "see",
  submit: "run",
  get: "see",
  wait: "see",
  kill: "run",
  remove: "run",
  list: "see",
  output: "see",
  search: "see",
  files: "run",
  events: "see",
  metrics: "see",
  box: "see",
  findings: "admin",
  health: "public",
  document: "public", // the API's description, and its page
  page: "public", // the web page, which asks as its user
} as const satisfies Record<string, Access>;

export type OperationName = keyof typeof operationAccess;

/** Throws a refusal if the identity's role does not permit the operation. */
export function authorize({ role }: Identity, operation: OperationName): void {
  const access = operationAccess[operation];
  if (access === "public" || rolesOf[access].includes(role)) return;
  throw new Refusal("role-too-small", `the role ${role} may not do this: it takes ${rolesOf[access].join(" or ")}`);
}

/** Whether a job with this owner is the identity's to see. */
export function mayAccess(identity: Identity, owner: string | null): boolean {
  const scope = scopeOf(identity);
  return scope === null || owner === scope;
}
