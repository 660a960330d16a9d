import { type Command, Option } from "commander";
import { UsageError } from "./usage-error.ts";

/** The options with which a command finds the service. */

export type ConnectionOptions = { url?: string; tokenFile?: string; cacert?: string; clientCert?: string; clientKey?: string };

/** Each overrides a variable. None takes a token itself, because other users see argument vectors. */
const connectionOptions: [flags: string, description: string][] = [
  [
    "--url <url>",
    "URL of the service: http://…, https://… or unix:/path/of/socket " +
      "(JOBRUNNER_URL; default: where JOBRUNNER_SOCKET or JOBRUNNER_PORT is, or http://localhost:8080)",
  ],
  ["--token-file <file>", "File with an access token (JOBRUNNER_TOKEN: the token itself)"],
  ["--cacert <file>", "Certificate of the authority that the service's certificate needs, PEM (JOBRUNNER_CACERT)"],
  ["--client-cert <file>", "Client certificate, PEM (JOBRUNNER_CLIENT_CERT)"],
  ["--client-key <file>", "Private key of the client certificate, PEM (JOBRUNNER_CLIENT_KEY)"],
];

/** Gives all commands that exist so far the options for finding the service. They may also precede the command. */
export function addConnectionOptions(program: Command): void {
  const made = (): Option[] => connectionOptions.map(([flags, description]) => new Option(flags, description).helpGroup("The service:"));
  const speaking = [...program.commands];
  for (const command of speaking) for (const option of made()) command.addOption(option);
  for (const option of made()) program.addOption(option.hideHelp());
  program.hook("preAction", (_program, command) => {
    for (const option of program.options) {
      const [name, value] = [option.attributeName(), program.getOptionValue(option.attributeName())];
      if (value === undefined) continue;
      if (!speaking.includes(command))
        throw new UsageError(`${option.long} is for commands that use a service: jobrunner --help lists them`);
      if (command.getOptionValue(name) === undefined) command.setOptionValue(name, value);
    }
  });
}
