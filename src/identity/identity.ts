import type { Role } from "./roles.ts";

/** Somebody who was let in. */
export type Identity = {
  kind: "local" | "socket" | "token" | "certificate";
  name: string;
  role: Role;
  /** The key under which jobs are this identity's own; null where it may see and do everything anyway. */
  owner: string | null;
  /** When what was shown ends, in milliseconds since the epoch. */
  untilMs: number;
};

/** The owner whose jobs alone the identity sees; null: all. */
export function scopeOf({ role, owner }: Identity): string | null {
  return role === "submit" ? owner : null;
}

/** By what an identity's share of something is counted. */
export function keyOf(identity: Identity): string {
  return identity.owner ?? nameOf(identity);
}

/** The identity by its kind and name, as people read it. */
export function nameOf({ kind, name }: Identity): string {
  return `${kind}:${name}`;
}
