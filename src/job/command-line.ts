/**
 * The arguments with which a shell runs a command line. A shell would read a command line that begins with - or + as options, so a line
 * break goes before it. "--" works for bash, dash, busybox and zsh too, but fish and python3 read "--" as the command.
 */
export function shellArguments(commandLine: string): ["-c", string] {
  return ["-c", /^[-+]/.test(commandLine) ? `\n${commandLine}` : commandLine];
}
