/** How many connections a limit of file descriptors allows. Used by the service and by the doctor. */

/**
 * Descriptors that the service itself needs: for database, launcher, watchers, listening sockets, refusals, and files and folders that are
 * open for a moment.
 */
export const descriptorsOfService = 150;

/** Half of the remaining descriptors: the other half is for files that a request opens besides its connection. */
export function connectionsWithin(limit: number): number {
  return Math.max(0, Math.floor((limit - descriptorsOfService) / 2));
}

/** The smallest limit that allows this many connections. */
export function limitFor(connections: number): number {
  return 2 * connections + descriptorsOfService;
}
