import { Command, CommanderError } from "commander";
import { addConnectionOptions, type Means as ClientMeans } from "./command.ts";
import { addAttach } from "./commands/attach.ts";
import { addCp } from "./commands/cp.ts";
import { addDoctor, type DoctorMeans } from "./commands/doctor.ts";
import { addEvents } from "./commands/events.ts";
import { addInspect } from "./commands/inspect.ts";
import { addKill } from "./commands/kill.ts";
import { addLogs } from "./commands/logs.ts";
import { addPs } from "./commands/ps.ts";
import { addRm } from "./commands/rm.ts";
import { addRun } from "./commands/run.ts";
import { addToken, type Place } from "./commands/token.ts";
import { addWait } from "./commands/wait.ts";
import { addCompletion } from "./completion/command.ts";
import { WrongUse } from "./wrong-use.ts";

/** The command line: without a command the service; of a service, what its API does; of this box, its tokens and what it can do. */

export type Means = ClientMeans &
  DoctorMeans & {
    helpText: () => string; // of the environment variables
    serve: () => Promise<void>;
    /** Read when a command needs it; throws WrongUse. */
    place: () => Place;
  };

/** Runs what the arguments say. Throws WrongUse where they cannot be understood, other errors with a sentence for people. */
export async function runCommandLine(args: string[], means: Means): Promise<void> {
  try {
    await makeProgram(means).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error; // help was asked for, and given
  }
}

export function makeProgram(means: Means): Command {
  const { version, helpText, serve, print } = means;
  const program = new Command("jobrunner")
    .description("Runs jobs on this box, over HTTP and JSON, and lets people watch them live. Without a command: starts the service.")
    .version(`jobrunner ${version}`, "--version", "which one this is")
    .helpOption("-h, --help", "what there is")
    .helpCommand("help [command]", "what there is, or what a command takes")
    .addHelpText("after", () => `\n${helpText()}\n\nFirst job:  jobrunner run -c 'echo hello'`)
    .configureOutput({ writeOut: (text) => print(text.replace(/\n$/, "")), writeErr: () => undefined }) // the error's message says it
    .enablePositionalOptions()
    .allowExcessArguments(false)
    .action(serve);
  for (const add of [addRun, addPs, addAttach, addLogs, addWait, addKill, addInspect, addRm, addCp, addEvents]) add(program, means);
  addConnectionOptions(program);
  addToken(program, means);
  addDoctor(program, means);
  addCompletion(program, means);
  refuseInWords(program);
  return program;
}

/** In place of ending the process, as commander does by itself. */
function refuseInWords(command: Command): void {
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw new WrongUse(`${sentenceOf(error, command)}: ${pathOf(command)} --help says what there is`, { cause: error });
  });
  for (const below of command.commands) refuseInWords(below);
}

function sentenceOf({ code, message }: CommanderError, command: Command): string {
  if (code === "commander.help") return `${pathOf(command)} needs a command`;
  if (code === "commander.unknownCommand" || (code === "commander.excessArguments" && command.commands.length > 0)) return `${JSON.stringify(command.args[0])} is not known`;
  return message.replace(/^error: /, "").replace(/\.$/, "").replace(" is invalid. ", " is invalid: ").replace(/\n\((.*)\)$/, " ($1)");
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
