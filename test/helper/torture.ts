/** `make torture` runs the long loops for hours where `make test` has seconds. */
export const isTorture = process.env["TORTURE"] !== undefined;
