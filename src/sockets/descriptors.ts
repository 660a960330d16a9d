/** How many connections the service can have with a limit of file descriptors, for itself and for the doctor. */

/**
 * What the service itself needs: database, launcher, watchers, listening sockets, refusals, and files that are open for a moment, such as
 * folders that are looked at.
 */
export const descriptorsOfService = 150;

/** Half of what the service leaves: the other half is for what is open besides a connection. */
export function connectionsWithin(limit: number): number {
  return Math.max(0, Math.floor((limit - descriptorsOfService) / 2));
}

/** The least limit with room for so many. */
export function limitFor(connections: number): number {
  return 2 * connections + descriptorsOfService;
}
