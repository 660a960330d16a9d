/** What the first who asks for it makes, for all who ask; what has failed is tried again by the next. */
export function madeOnce<What>(make: () => Promise<What>): () => Promise<What> {
  let made: Promise<What> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}
