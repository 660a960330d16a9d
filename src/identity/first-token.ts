import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TokenTable } from "../store/tokens.ts";
import { makeToken } from "./tokens.ts";

/**
 * Creates a token with the role admin in the file `token` of the state directory (0600) if there was never a token. Returns the path of the
 * file; null: there was a token. The file is written before the database: after a crash between them there is still no token, and the next
 * start creates both again.
 */
export function ensureFirstToken(table: TokenTable, stateDir: string): string | null {
  if (table.all().length > 0) return null;
  const { text, stored } = makeToken({ name: "first", role: "admin", expiresAtMs: null });
  const path = join(stateDir, "token");
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  table.insert(stored);
  return path;
}
