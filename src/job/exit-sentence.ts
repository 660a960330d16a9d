/** How a step that failed by its exit code alone says so. Whatever else is worth knowing follows it. */
export function exitSentence(exitCode: number | null): string {
  return `exited with code ${exitCode}`;
}
