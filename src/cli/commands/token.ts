import { type Command, InvalidArgumentError, Option } from "commander";
import { roles, type Role } from "../../identity/roles.ts";
import type { StateDirectory } from "../tokens.ts";

type Dependencies = { stateDirectory: () => StateDirectory; print: (text: string) => void };

export function addToken(program: Command, { stateDirectory, print }: Dependencies): void {
  const token = program
    .command("token")
    .description("makes, lists and revokes the tokens by which others get in; for who owns the service's state")
    .exitOverride();
  token
    .command("create")
    .description("prints a new token, this once; only its hash is kept")
    .argument("<name>", "whose it is, or what it is for")
    .addOption(
      new Option("--role <role>", "read: sees all jobs; submit: runs jobs, sees its own; admin: everything")
        .choices(roles)
        .default("submit"),
    )
    .option("--expires <after>", "such as 12h, 30d or 52w; without it, never", durationMs)
    .action(async (name: string, { role, expires }: { role: Role; expires?: number }) => {
      const { createToken } = await import("../tokens.ts");
      print(createToken(stateDirectory(), { name, role, expiresInMs: expires ?? null }));
    });
  token
    .command("list")
    .description("all tokens, without what is secret of them")
    .option("--json", "as JSON")
    .action(async ({ json = false }: { json?: boolean }) => {
      const { listTokens } = await import("../tokens.ts");
      print(listTokens(stateDirectory(), { isJson: json }));
    });
  token
    .command("revoke")
    .description("from now on the token lets nobody in; its jobs go on")
    .argument("<token>", "its name or ID")
    .action(async (name: string) => {
      const { revokeToken } = await import("../tokens.ts");
      print(revokeToken(stateDirectory(), name));
    });
}

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function durationMs(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const ms = Number(number) * (unitMs[unit] ?? 0);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("give a number of minutes (m), hours (h), days (d) or weeks (w), such as 30d");
}
