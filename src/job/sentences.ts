/** Where the schema has only a pattern to say, the sentence that says it to people. */
export const patternSentences = new Map<string, string>();

export function pattern(expression: string, sentence: string): { pattern: string } {
  patternSentences.set(expression, sentence);
  return { pattern: expression };
}
