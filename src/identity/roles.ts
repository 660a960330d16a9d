/** `read` sees all jobs, `submit` runs jobs and sees only its own, `admin` may do everything. */

export const roles = ["read", "submit", "admin"] as const;

export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}
