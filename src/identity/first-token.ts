import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TokenTable } from "../store/tokens.ts";
import { makeToken } from "./tokens.ts";

/**
 * Where there was never a token, makes one of role admin in the file `token` of the state directory (0600), and gives the path; else null.
 * The file comes first: after a crash between the two there is still no token, and both are made anew.
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
