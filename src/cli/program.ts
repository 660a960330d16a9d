import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { roles, type Role } from "../identity/roles.ts";
import { createToken, listTokens, revokeToken } from "./token.ts";
import { WrongUse } from "./wrong-use.ts";

/** The command line: without a command the service, and what its owner does to its state directory. */

export type Means = {
  version: string;
  helpText: string; // of the environment variables
  serve: () => Promise<void>;
  /** Read when a command needs it; throws WrongUse. */
  place: () => Place;
  print: (text: string) => void;
};

/** Where the service's state is, and how its audit log is kept. */
export type Place = { stateDir: string };

/** Runs what the arguments say. Throws WrongUse where they cannot be understood, other errors with a sentence for people. */
export async function runCommandLine(args: string[], means: Means): Promise<void> {
  try {
    await makeProgram(means).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw new WrongUse(`${sentenceOf(error, args)}: jobrunner --help says what there is`, { cause: error });
  }
}

function sentenceOf({ code, message }: CommanderError, [first]: string[]): string {
  if (code === "commander.excessArguments" || code === "commander.unknownCommand") return `${JSON.stringify(first)} is not known`;
  return message.replace(/^error: /, "").replace(/\.$/, "");
}

function makeProgram(means: Means): Command {
  const { version, helpText, serve, place, print } = means;
  const program = new Command("jobrunner")
    .description("Runs jobs on this box, over HTTP and JSON, and lets people watch them live. Without a command: starts the service.")
    .version(`jobrunner ${version}`, "--version")
    .helpOption("-h, --help", "what there is")
    .addHelpText("after", `\n${helpText}\n\nFirst job:  curl -d '{"CommandLine": "echo hello"}' localhost:8080`)
    .configureOutput({ writeOut: (text) => print(text.replace(/\n$/, "")), writeErr: () => undefined }) // the error's message says it
    .exitOverride()
    .allowExcessArguments(false)
    .action(serve);
  const token = program.command("token").description("makes, lists and revokes the tokens by which others get in").exitOverride();
  token
    .command("create")
    .description("prints a new token, this once; only its hash is kept")
    .argument("<name>", "whose it is, or what it is for")
    .addOption(new Option("--role <role>", "read: sees all jobs; submit: runs jobs, sees its own; admin: everything").choices(roles).default("submit"))
    .option("--expires <after>", "such as 12h, 30d or 52w; without it, never", durationMs)
    .action((name: string, { role, expires }: { role: Role; expires?: number }) => {
      print(createToken(place(), { name, role, expiresInMs: expires ?? null }));
    });
  token
    .command("list")
    .description("all tokens, without what is secret of them")
    .option("--json", "as JSON")
    .action(({ json = false }: { json?: boolean }) => print(listTokens(place(), { isJson: json })));
  token
    .command("revoke")
    .description("from now on the token lets nobody in; its jobs go on")
    .argument("<token>", "its name or ID")
    .action((name: string) => print(revokeToken(place(), name)));
  return program;
}

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function durationMs(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const ms = Number(number) * (unitMs[unit] ?? 0);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("give a number of minutes (m), hours (h), days (d) or weeks (w), such as 30d");
}
