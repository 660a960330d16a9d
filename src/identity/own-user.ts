import { homedir, userInfo } from "node:os";

/** The user of this process. In a container the service may run as a user ID without an account. */
export const ownUser: { name: string; uid: number; home: string; shell: string } = find();

function find(): typeof ownUser {
  const uid = process.geteuid?.() ?? -1;
  try {
    const { username, homedir: home, shell } = userInfo();
    return { name: username, uid, home, shell: shell ?? "/bin/sh" };
  } catch {
    return { name: String(uid), uid, home: homeWithoutAccount(), shell: "/bin/sh" };
  }
}

function homeWithoutAccount(): string {
  try {
    return homedir(); // from the environment
  } catch {
    return "/";
  }
}
