/**
 * The arguments by which a shell runs a command line. One that begins with - or + would be taken for options, so a line break goes before it: "--" does
 * as well for bash, dash, busybox and zsh, but others, such as fish and python3, take it for the command.
 */
export function shellArguments(commandLine: string): ["-c", string] {
  return ["-c", /^[-+]/.test(commandLine) ? `\n${commandLine}` : commandLine];
}
