import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";

/** A stored token. Times are milliseconds since the epoch; null: never. */
export type StoredToken = {
  id: string;
  name: string;
  role: string;
  hash: Uint8Array;
  createdAtMs: number;
  expiresAtMs: number | null;
  lastUsedAtMs: number | null;
  revokedAtMs: number | null;
};

export type NewToken = Pick<StoredToken, "id" | "name" | "role" | "hash" | "createdAtMs" | "expiresAtMs">;

/** The table of tokens. Every look-up reads the database, so that a revocation by the command line holds at once. */
export class TokenTable {
  readonly #database: DatabaseSync;
  readonly #byId: StatementSync;
  readonly #use: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#byId = database.prepare("SELECT * FROM tokens WHERE id = ?");
    this.#use = database.prepare("UPDATE tokens SET last_used_at_ms = ? WHERE id = ?");
  }

  insert({ id, name, role, hash, createdAtMs, expiresAtMs }: NewToken): void {
    this.#database
      .prepare("INSERT INTO tokens (id, name, role, hash, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?)")
      .run(id, name, role, hash, createdAtMs, expiresAtMs);
  }

  find(id: string): StoredToken | null {
    const row = this.#byId.get(id);
    return row === undefined ? null : readRow(row);
  }

  /** All tokens, oldest first. Revoked and expired ones are included. */
  all(): StoredToken[] {
    return this.#database.prepare("SELECT * FROM tokens ORDER BY created_at_ms, id").all().map(readRow);
  }

  markUsed(id: string, atMs: number): void {
    this.#use.run(atMs, id);
  }

  revoke(id: string, atMs: number): void {
    this.#database.prepare("UPDATE tokens SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL").run(atMs, id);
  }
}

function readRow(row: Record<string, SQLOutputValue>): StoredToken {
  const time = (name: string): number | null => (row[name] === null || row[name] === undefined ? null : Number(row[name]));
  const { hash } = row;
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    role: String(row["role"]),
    hash: hash instanceof Uint8Array ? hash : new Uint8Array(),
    createdAtMs: Number(row["created_at_ms"]),
    expiresAtMs: time("expires_at_ms"),
    lastUsedAtMs: time("last_used_at_ms"),
    revokedAtMs: time("revoked_at_ms"),
  };
}
