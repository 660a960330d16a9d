/**
 * Headers of every answer: browsers store no answer, guess no type, show none in a frame, and let no other site read it (OWASP Secure
 * Headers). Without Strict-Transport-Security, because that holds for all ports of a name, and other services of this machine may speak
 * HTTP.
 */
export const securityHeaders = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

/**
 * Headers of streams, for proxies: pass on every piece at once (X-Accel-Buffering, for nginx), and do not compress, which also delays
 * pieces (RFC 9111, 5.2.2.6).
 */
export const streamHeaders = { ...securityHeaders, "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no" } as const;

/** A header's name as people write it: schemas have it in lower case, as Node.js does. */
export function headerName(lowerCase: string): string {
  return lowerCase
    .split("-")
    .map((word) => (word === "id" ? "ID" : `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`))
    .join("-");
}
