/** The part of the platform's Response that the client needs. */
export type Answered = {
  status: number;
  statusText: string;
  ok: boolean;
  headers: { get(name: string): string | null };
  body: Body;
  text(): Promise<string>;
};

/** `error`: the body of a refusal, parsed if it is JSON. */
export type Answer<What> = { response: Answered; data?: What; error?: unknown };

/** Null: no body. */
export type Body = Bytes | null;
/** The part of a ReadableStream that the client needs. */
type Bytes = { getReader(): Reader; cancel(): Promise<void> };
/** Cancelling ends a pending `read`. */
export type Reader = {
  read(): Promise<{ done: false; value: Uint8Array } | { done: true; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
};
