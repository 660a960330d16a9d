/** How a step that failed by its exit code alone says so. Whatever else is worth knowing follows it. */
export function exitedWith(exitCode: number | null): string {
  return `exited with code ${exitCode}`;
}
