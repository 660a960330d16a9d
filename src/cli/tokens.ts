import { existsSync } from "node:fs";
import { join } from "node:path";
import { AuditLog } from "../audit/audit-log.ts";
import type { Role } from "../identity/roles.ts";
import { ownUser } from "../identity/own-user.ts";
import { makeToken } from "../identity/tokens.ts";
import { openDatabase } from "../store/open.ts";
import { type StoredToken, TokenTable } from "../store/tokens.ts";
import { table as tableOf } from "./table.ts";
import { UsageError } from "./usage-error.ts";

/** Manages tokens in the state directory, whether the service runs or not. Anyone who may write there can use it. */

/** The service's state directory. */
export type StateDirectory = { stateDir: string };

export function createToken(
  stateDirectory: StateDirectory,
  { name, role, expiresInMs }: { name: string; role: Role; expiresInMs: number | null },
): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}$/.test(name)) {
    throw new UsageError(
      `the name must be 1 to 63 letters, digits, blanks and . _ @ -, beginning with a letter or digit, not ${JSON.stringify(name)}`,
    );
  }
  return withTokens(stateDirectory, (table, audit) => {
    if (active(table).some((token) => token.name === name))
      throw new UsageError(`there is a token ${name} already: give another name, or revoke that one first`);
    const { text, stored } = makeToken({ name, role, expiresAtMs: expiresInMs === null ? null : Date.now() + expiresInMs });
    table.insert(stored);
    audit({ Event: "token create", Token: stored.id, Name: name, TokenRole: role, ExpiresAt: timeOf(stored.expiresAtMs) });
    return text;
  });
}

export function listTokens(stateDirectory: StateDirectory, { isJson }: { isJson: boolean }): string {
  return withTokens(stateDirectory, (table) => {
    const tokens = table.all().map(viewOf);
    if (isJson) return JSON.stringify(tokens);
    const rows = tokens.map(({ Name, Role: role, State, ID, CreatedAt, ExpiresAt, LastUsedAt }) => [
      Name,
      role,
      State,
      ID,
      CreatedAt,
      ExpiresAt ?? "never",
      LastUsedAt ?? "never",
    ]);
    return tableOf(["NAME", "ROLE", "STATE", "ID", "CREATED", "EXPIRES", "LAST USED"], rows, { stream: process.stdout }).join("\n");
  });
}

export function revokeToken(stateDirectory: StateDirectory, nameOrId: string): string {
  return withTokens(stateDirectory, (table, audit) => {
    const token = active(table).find(({ name, id }) => name === nameOrId || id === nameOrId);
    if (token === undefined)
      throw new UsageError(`there is no token ${JSON.stringify(nameOrId)} that is not revoked: jobrunner token list shows what there is`);
    table.revoke(token.id, Date.now());
    audit({ Event: "token revoke", Token: token.id, Name: token.name });
    return `revoked ${token.name} (${token.id})`;
  });
}

type Audit = (event: Parameters<AuditLog["write"]>[1]) => void;

function withTokens<Result>({ stateDir }: StateDirectory, use: (table: TokenTable, audit: Audit) => Result): Result {
  const path = join(stateDir, "jobrunner.db");
  if (!existsSync(path))
    throw new UsageError(
      `there is no state of a service in ${stateDir}: start it once, or set JOBRUNNER_STATE_DIR, and be the user that it runs as`,
    );
  // Only adds lines: the service rotates the log.
  const log = new AuditLog({ stateDir, maxBytes: Infinity, files: 1 }, (error) => {
    throw error;
  });
  const database = openDatabase(path);
  try {
    database.exec("BEGIN IMMEDIATE"); // so that two processes do not both find a name unused
    const result = use(new TokenTable(database), (event) =>
      log.write({ By: `command line:${ownUser.name}`, Role: null, From: `uid ${ownUser.uid}` }, event),
    );
    database.exec("COMMIT");
    return result;
  } finally {
    database.close();
  }
}

function active(table: TokenTable): StoredToken[] {
  return table.all().filter(({ revokedAtMs }) => revokedAtMs === null);
}

function viewOf({ id, name, role, createdAtMs, expiresAtMs, lastUsedAtMs, revokedAtMs }: StoredToken) {
  const isExpired = expiresAtMs !== null && expiresAtMs <= Date.now();
  return {
    Name: name,
    ID: id,
    Role: role,
    State: revokedAtMs !== null ? "revoked" : isExpired ? "expired" : "valid",
    CreatedAt: new Date(createdAtMs).toISOString(),
    ExpiresAt: timeOf(expiresAtMs),
    LastUsedAt: timeOf(lastUsedAtMs),
    RevokedAt: timeOf(revokedAtMs),
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
