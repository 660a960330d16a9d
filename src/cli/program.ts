import { Command, CommanderError } from "commander";
import { closest, distance } from "fastest-levenshtein";
import type { Dependencies as ClientDependencies } from "./command.ts";
import { addConnectionOptions } from "./connection-options.ts";
import { addAttach } from "./commands/attach.ts";
import { addCp } from "./commands/cp.ts";
import { addDoctor, type DoctorDependencies } from "./commands/doctor.ts";
import { addEvents } from "./commands/events.ts";
import { addHistory } from "./commands/history.ts";
import { addInspect } from "./commands/inspect.ts";
import { addKill } from "./commands/kill.ts";
import { addLogs } from "./commands/logs.ts";
import { addPs } from "./commands/ps.ts";
import { addRm } from "./commands/rm.ts";
import { addRun } from "./commands/run.ts";
import { addToken } from "./commands/token.ts";
import { addWait } from "./commands/wait.ts";
import { addCompletion } from "./completion/command.ts";
import type { StateDirectory } from "./tokens.ts";
import { UsageError } from "./usage-error.ts";

/** The command line. Without a command it starts the service; commands use the API, manage tokens, or check this machine. */

export type Dependencies = ClientDependencies &
  DoctorDependencies & {
    helpText: () => string; // of the environment variables
    serve: () => Promise<void>;
    /** Read when a command needs it; throws UsageError. */
    stateDirectory: () => StateDirectory;
  };

/** Runs the command of the arguments. Throws UsageError if they are invalid, and other errors with a sentence for people. */
export async function runCommandLine(args: string[], dependencies: Dependencies): Promise<void> {
  try {
    await makeProgram(dependencies).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error; // help was requested and printed
  }
}

export function makeProgram(dependencies: Dependencies): Command {
  const { version, helpText, serve, print } = dependencies;
  const program = new Command("jobrunner")
    .description("Run jobs on this machine, over HTTP and JSON, and let people watch them live. Without a command, start the service.")
    .version(`jobrunner ${version}`, "--version", "Print version")
    .helpOption("-h, --help", "Show help")
    .helpCommand("help [command]", "Show help for a command")
    .addHelpText("after", () => `\n${helpText()}\n\nFirst job:  jobrunner run -c 'echo hello'`)
    // The message of the error has what commander would write to standard error.
    .configureOutput({ writeOut: (text) => print(text.replace(/\n$/, "")), writeErr: () => undefined })
    .enablePositionalOptions()
    .allowExcessArguments(false)
    .action(serve);
  for (const add of [addRun, addPs, addAttach, addLogs, addWait, addKill, addInspect, addRm, addCp, addEvents, addHistory])
    add(program, dependencies);
  addConnectionOptions(program);
  addToken(program, dependencies);
  addDoctor(program, dependencies);
  addCompletion(program, dependencies);
  refuseInWords(program);
  return program;
}

/** Throws UsageError for mistakes in the arguments. By default, commander ends the process. */
function refuseInWords(command: Command): void {
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw new UsageError(`${sentenceOf(error, command)}: ${pathOf(command)} --help shows what there is`, { cause: error });
  });
  for (const below of command.commands) refuseInWords(below);
}

function sentenceOf({ code, message }: CommanderError, command: Command): string {
  if (code === "commander.help") return `${pathOf(command)} needs a command`;
  if (code === "commander.unknownCommand" || (code === "commander.excessArguments" && command.commands.length > 0))
    return unknownCommand(command.args[0] ?? "", command);
  return message
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    .replace(" is invalid. ", " is invalid: ")
    .replace(/\n\((.*)\)$/, " ($1)");
}

/** Suggests the nearest command, if it differs in a few letters only. */
function unknownCommand(word: string, { commands }: Command): string {
  const nearest = closest(
    word.toLowerCase(),
    commands.map((command) => command.name()),
  );
  const isNear = distance(word.toLowerCase(), nearest) <= Math.max(1, Math.floor(nearest.length / 3));
  return `${JSON.stringify(word)} is not known${isNear ? ` (did you mean ${nearest}?)` : ""}`;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
