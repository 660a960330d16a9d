/** `make torture` runs for hours the long loops that `make test` runs for seconds. */
export const isTorture = process.env["TORTURE"] !== undefined;
