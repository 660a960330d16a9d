/** The code that the system or Node gives an error, such as ENOENT (errno(3)); empty where the error has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
