import { type Command, Option } from "commander";
import { UsageError } from "./usage-error.ts";

/** The options by which a command finds the service. */

export type ConnectionOptions = { url?: string; tokenFile?: string; cacert?: string; clientCert?: string; clientKey?: string };

/** Each has a variable, too, and goes before it. None takes a token itself: others see argument vectors. */
const connectionOptions: [flags: string, description: string][] = [
  ["--url <url>", "the service: http://…, https://… or unix:/path/of/socket (JOBRUNNER_URL; http://localhost:8080)"],
  ["--token-file <file>", "a file with a token (or the token itself in JOBRUNNER_TOKEN)"],
  ["--cacert <file>", "the authority of the service's certificate, PEM (JOBRUNNER_CACERT)"],
  ["--client-cert <file>", "a certificate that lets in, PEM (JOBRUNNER_CLIENT_CERT)"],
  ["--client-key <file>", "its private key, PEM (JOBRUNNER_CLIENT_KEY)"],
];

/** Gives all commands that there are so far the options by which the service is found; they may stand before the command as well. */
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
        throw new UsageError(`${option.long} is for the commands that speak with a service: jobrunner --help says what there is`);
      if (command.getOptionValue(name) === undefined) command.setOptionValue(name, value);
    }
  });
}
