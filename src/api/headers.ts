/**
 * What every answer says to browsers, also to those whose pages come from here: nothing is stored, guessed, framed or read by others
 * (OWASP Secure Headers). Not Strict-Transport-Security: it holds for a name with all its ports, and other services of this box may speak
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
 * What a stream says besides, to proxies on its way: pass on at once what comes (X-Accel-Buffering, which nginx obeys), and do not compress
 * it, which collects as well (RFC 9111, 5.2.2.6).
 */
export const streamHeaders = { ...securityHeaders, "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no" } as const;
