import { UsageError } from "./usage-error.ts";

type Variable = [name: string, value: string];

/**
 * The variables of an `--env-file`, by the rules of Docker's: a line is `NAME=value`, the value to the letter, or a bare `NAME`, which is
 * taken from `environment` and left out where it is not there. Blanks before a name, empty lines, lines that begin with `#`, a byte order
 * mark and the carriage return of a line's end do not count.
 * `what`: the option and its file. Throws UsageError with the line's number, and not its text, which may be a secret.
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
