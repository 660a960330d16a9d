/** What the system calls an error, such as ENOENT (errno(3)); null: it is none of the system's. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
