/** The ID in a route's parameters; "" if the route has none. */
export function idOf(params: unknown): string {
  return typeof params === "object" && params !== null && "id" in params && typeof params.id === "string" ? params.id : "";
}
