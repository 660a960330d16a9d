/** Explanations of patterns in the schemas, for people. */
export const patternSentences = new Map<string, string>();

export function pattern(expression: string, sentence: string): { pattern: string } {
  patternSentences.set(expression, sentence);
  return { pattern: expression };
}
