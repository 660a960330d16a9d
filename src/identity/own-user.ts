import { homedir, userInfo } from "node:os";

/** The user that this process runs as. A number without an account, as containers of this service may have it, is a user too. */
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
    return homedir(); // of the environment
  } catch {
    return "/";
  }
}
