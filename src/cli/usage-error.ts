/** What was typed cannot be done as it stands; the message says what can. */
export class UsageError extends Error {}

/** `what`: an option and its file. */
export function unreadable(what: string, cause: unknown): UsageError {
  return new UsageError(`${what} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
