const safeSchemes = new Set(["http:", "https:", "mailto:"]);
const longestTarget = 2048;

/**
 * The target as a browser writes it, so that a name of look-alike characters is seen as what it is. Null: it is no address, or its scheme
 * may do something else than to open a page or a mail.
 */
export function safeLink(target: string): string | null {
  if (target === "" || target.length > longestTarget || !URL.canParse(target)) return null;
  const url = new URL(target);
  return safeSchemes.has(url.protocol) ? url.href : null;
}
