// `node docs/cli.ts` writes cli.md and the manual page jobrunner.1 beside it: of the commands as they are, and of what cli-text.ts says
// about them.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, Help, type Option } from "commander";
import { commandsBelow } from "../src/cli/completion/level.ts";
import { makeProgram } from "../src/cli/program.ts";
import { variables } from "../src/config.ts";
import {
  clientVariables,
  completion,
  connections,
  envFiles,
  exitStatus,
  files,
  interruptions,
  proxies,
  readers,
  tour,
} from "./cli-text.ts";
import { asMarkdown, asRoff, type Row, type Section, table, text } from "./document.ts";

const help = new Help();
const program = describedProgram();

export function commandLinePage(): string {
  const environment = {
    title: "Environment",
    parts: [clientVariables, text("[configuration.md](configuration.md) has those of the service.")],
  };
  return [
    "# The command line\n",
    "Written by `make docs` from the commands themselves and docs/cli-text.ts; do not edit. `man jobrunner` shows the same.\n",
    asMarkdown([tour, commandSection(), exitStatus, interruptions, connections, readers, envFiles, environment, proxies, completion]),
  ].join("\n");
}

/** The sections of man-pages(7), in its order. */
export function manualPage(): string {
  const sections: Section[] = [
    { title: "Synopsis", parts: [text("`jobrunner`"), text("`jobrunner` command [options] [arguments]")] },
    { title: "Description", parts: [text(program.description())] },
    commandSection(),
    exitStatus,
    interruptions,
    connections,
    readers,
    envFiles,
    { title: "Environment", parts: [text("Of the commands:"), clientVariables, text("Of the service:"), table(serviceVariables())] },
    proxies,
    files,
    { ...tour, title: "Examples" },
    completion,
    { title: "See also", parts: [text("curl(1), systemd.service(5)")] },
  ];
  return [
    '.\\" Written by "make docs" from the commands themselves and docs/cli-text.ts; do not edit.\n',
    `.TH JOBRUNNER 1 "" "jobrunner ${version()}" "User Commands"\n.nh\n.ad l\n`, // a name that is broken is not found
    '.SH "NAME"\njobrunner \\- runs jobs on this box, over HTTP and JSON, and lets people watch them live\n',
    asRoff(sections),
  ].join("");
}

function commandSection(): Section {
  const commands = runnable(program);
  const common = commonOptions(commands);
  return {
    title: "Commands",
    parts: [text("`jobrunner` without a command starts the service. Each command says with `--help` what it takes.")],
    subsections: [
      ...commands.map((command) => subsectionOf(command, common)),
      {
        title: "Where the service is",
        parts: [text("The commands that speak with a service all take these options:"), table(common.map(rowOf))],
      },
    ],
  };
}

function subsectionOf(command: Command, common: Option[]): Section {
  const taken = command.registeredArguments.map((argument): Row => [`\`${argument.name()}\``, help.argumentDescription(argument)]);
  const own = ownOptions(command).filter(({ flags }) => !common.some((option) => option.flags === flags));
  const rows = [...taken, ...own.map(rowOf)];
  const [, usage = ""] = help.commandUsage(command).split("jobrunner ");
  return { title: `\`${usage}\``, parts: [text(sentence(command.description())), ...(rows.length === 0 ? [] : [table(rows)])] };
}

function sentence(description: string): string {
  return `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
}

/** Options that many commands share are described once. */
function commonOptions(commands: Command[]): Option[] {
  const same = Map.groupBy(commands.flatMap(ownOptions), ({ flags, description }) => `${flags} ${description}`);
  return [...same.values()].filter(({ length }) => length > 3).flatMap(([first]) => first ?? []);
}

/** The commands that do something, and do not only group others. */
function runnable(command: Command): Command[] {
  const below = commandsBelow(command);
  return below.length === 0 ? [command] : below.flatMap(runnable);
}

function ownOptions(command: Command): Option[] {
  return help.visibleOptions(command).filter(({ long }) => long !== "--help");
}

function rowOf(option: Option): Row {
  return [`\`${help.optionTerm(option)}\``, help.optionDescription(option)];
}

/** All commands, only to read their descriptions. */
function describedProgram(): Command {
  const none = (): never => {
    throw new Error("commands are only described here");
  };
  const { stdin, stdout, stderr } = process;
  const session = { stdin, stdout, stderr, environment: {}, onInterrupt: none, onReaderGone: none };
  return makeProgram({
    version: version(),
    session,
    finish: none,
    print: none,
    serve: none,
    stateDirectory: none,
    helpText: none,
    configuration: none,
    supervisorPath: none,
  });
}

function serviceVariables(): Row[] {
  return variables({}).map(({ name, fallback, meaning }) => {
    const shown = name === "JOBRUNNER_STATE_DIR" ? "~/.local/state/jobrunner; root: /var/lib/jobrunner" : fallback;
    return [`\`${name}\``, shown === "" ? meaning : `${meaning} (${shown})`];
  });
}

function version(): string {
  const { version: text }: { version: string } = JSON.parse(readFileSync(resolve(import.meta.dirname, "..", "package.json"), "utf8"));
  return text;
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, "cli.md"), commandLinePage());
  writeFileSync(join(import.meta.dirname, "jobrunner.1"), manualPage());
}
