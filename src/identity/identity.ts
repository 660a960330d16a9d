import type { Role } from "./roles.ts";

/** An identified client. */
export type Identity = {
  kind: "local" | "socket" | "token" | "certificate";
  name: string;
  role: Role;
  /** The owner of the jobs that this identity submits; null: it may see and do everything. */
  owner: string | null;
  /** When the credentials expire, in milliseconds since the epoch. */
  untilMs: number;
};

/** The only owner whose jobs the identity may see; null: every owner. */
export function scopeOf({ role, owner }: Identity): string | null {
  return role === "submit" ? owner : null;
}

/** The key by which shares and limits of an identity are counted. */
export function keyOf(identity: Identity): string {
  return identity.owner ?? nameOf(identity);
}

/** `kind:name`, for people. */
export function nameOf({ kind, name }: Identity): string {
  return `${kind}:${name}`;
}
