import { UsageError } from "./usage-error.ts";

type Variable = [name: string, value: string];

/**
 * The variables of an `--env-file`, by Docker's rules. A line is `NAME=value` with a literal value, or a bare `NAME`, whose value comes
 * from `environment`, and which is omitted if it is not set there. Ignored are blanks before a name, empty lines, lines that begin with
 * `#`, a byte order mark, and carriage returns at line ends.
 * `what`: the option and its file. Throws UsageError with the line's number, but not its text, which may be a secret.
 */
export function parseEnvFile(text: string, { what, environment }: { what: string; environment: NodeJS.Dict<string> }): Variable[] {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  return lines.flatMap((line, index) =>
    variableOf(line.replace(/\r$/, "").trimStart(), { position: `${what}, line ${index + 1}`, environment }),
  );
}

function variableOf(line: string, { position, environment }: { position: string; environment: NodeJS.Dict<string> }): Variable[] {
  if (line === "" || line.startsWith("#")) return [];
  const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(line) ?? [];
  if (name === "") throw new UsageError(`${position}: there is no name before the "=": give NAME=value`);
  if (/\s/.test(name)) throw new UsageError(`${position}: a name has no blanks in it: give NAME=value, or # at the beginning of a comment`);
  if (line.includes("\0")) throw new UsageError(`${position}: a variable can hold no NUL`);
  const given = value ?? environment[name];
  return given === undefined ? [] : [[name, given]];
}
