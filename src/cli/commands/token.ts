import { type Command, InvalidArgumentError, Option } from "commander";
import { roles, type Role } from "../../identity/roles.ts";
import type { StateDirectory } from "../tokens.ts";

type Dependencies = { stateDirectory: () => StateDirectory; print: (text: string) => void };

export function addToken(program: Command, { stateDirectory, print }: Dependencies): void {
  const token = program
    .command("token")
    .description("Create, list and revoke access tokens; for the owner of the service's state")
    .exitOverride();
  token
    .command("create")
    .description("Create a token and print it once; only its hash is stored")
    .argument("<name>", "A name for it: its owner or its purpose")
    .addOption(
      new Option("--role <role>", "read: see all jobs; submit: run jobs, see its own; admin: everything").choices(roles).default("submit"),
    )
    .option("--expires <after>", "Let it expire after this time: 12h, 30d, 52w (default never)", durationMs)
    .action(async (name: string, { role, expires }: { role: Role; expires?: number }) => {
      const { createToken } = await import("../tokens.ts");
      print(createToken(stateDirectory(), { name, role, expiresInMs: expires ?? null }));
    });
  token
    .command("list")
    .description("List all tokens, without their secrets")
    .option("--json", "Print JSON")
    .action(async ({ json = false }: { json?: boolean }) => {
      const { listTokens } = await import("../tokens.ts");
      print(listTokens(stateDirectory(), { isJson: json }));
    });
  token
    .command("revoke")
    .description("Revoke a token at once; its jobs continue")
    .argument("<token>", "The token's name or ID")
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
