/** Quotes the text as one literal word for the POSIX shell, bash and zsh. (zsh takes a word that begins with "=" for a command's path.) */
export function quoted(text: string): string {
  return /^[\w./:@%+,-][\w./:=@%+,-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
