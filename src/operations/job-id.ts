const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether it may be the ID of a job. Nothing else ever becomes part of a path. */
export function isJobId(id: string): boolean {
  return uuid.test(id);
}
