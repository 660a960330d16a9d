/** Quotes the text as one literal word for the POSIX shell, bash and zsh. */
export function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
