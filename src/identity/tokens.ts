import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { NewToken, StoredToken, TokenTable } from "../store/tokens.ts";
import { isRole, type Role } from "./roles.ts";

/**
 * Tokens are `jr_<id>_<secret>`: the id has 16 hexadecimal digits, by which the token is found; the secret has 256 random bits in base64url
 * (RFC 4648). Only the SHA-256 of the secret is stored. With so many bits a slow hash would add nothing.
 */

const form = /^jr_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export type TokenCheck =
  | { kind: "valid"; token: StoredToken; role: Role }
  | { kind: "wrong" } // not a token, an unknown token, or a wrong secret: the client does not learn which
  | { kind: "expired"; token: StoredToken }
  | { kind: "revoked"; token: StoredToken };

/** A new token: its text, which is shown once, and what is stored. */
export function makeToken({ name, role, expiresAtMs }: { name: string; role: Role; expiresAtMs: number | null }): {
  text: string;
  stored: NewToken;
} {
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  return { text: `jr_${id}_${secret}`, stored: { id, name, role, hash: hashOf(secret), createdAtMs: Date.now(), expiresAtMs } };
}

/** A client learns that a token has expired or was revoked only if it has the secret. */
export function checkToken(table: TokenTable, text: string, nowMs: number): TokenCheck {
  const [, id = "", secret = ""] = form.exec(text) ?? [];
  const token = id === "" ? null : table.find(id);
  if (token === null || !isRole(token.role) || !timingSafeEqual(hashOf(secret), paddedHash(token.hash))) return { kind: "wrong" };
  if (token.revokedAtMs !== null) return { kind: "revoked", token };
  if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) return { kind: "expired", token };
  return { kind: "valid", token, role: token.role };
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** timingSafeEqual throws if the lengths differ, which happens only with a damaged database. */
function paddedHash(hash: Uint8Array): Buffer {
  return Buffer.concat([hash, Buffer.alloc(32)], 32);
}
