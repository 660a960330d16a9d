/** A mistake in the arguments, options or variables. The message says what to do. */
export class UsageError extends Error {}

/** `what`: the option and its file. */
export function unreadable(what: string, cause: unknown): UsageError {
  return new UsageError(`${what} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
