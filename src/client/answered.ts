/** What the client needs of a Response; the platform's is one. */
export type Answered = {
  status: number;
  statusText: string;
  ok: boolean;
  headers: { get(name: string): string | null };
  body: Body;
  text(): Promise<string>;
};

/** `error`: of a refusal what it said, as JSON where it is that. */
export type Answer<What> = { response: Answered; data?: What; error?: unknown };

/** Null: an answer without one. */
export type Body = Bytes | null;
/** What the client needs of a ReadableStream. */
type Bytes = { getReader(): Reader; cancel(): Promise<void> };
/** When it is cancelled, a `read` that waits is done. */
export type Reader = {
  read(): Promise<{ done: false; value: Uint8Array } | { done: true; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
};
