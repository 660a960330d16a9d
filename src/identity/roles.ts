/** What somebody may do: `read` sees all jobs, `submit` runs jobs and sees its own alone, `admin` may do everything. */

export const roles = ["read", "submit", "admin"] as const;

export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}
