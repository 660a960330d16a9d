import { Accounts } from "../runner/accounts.ts";
import { ownUser } from "../identity/own-user.ts";
import { type Box, type Finding, note, ok, problem } from "./box.ts";

/** The user of the service, and the other users as whom jobs may run. */
export async function users({ settings: { allowedUsers } }: Box): Promise<Finding[]> {
  const { name, uid } = ownUser;
  const own = `the service and its jobs run as ${name} (uid ${uid})`;
  if (uid !== 0) {
    const refused = problem(
      "JOBRUNNER_ALLOWED_USERS is set, but only a service that runs as root can run jobs as other users",
      "run the service as root, or leave JOBRUNNER_ALLOWED_USERS empty",
    );
    return [ok(own), ...(allowedUsers.length === 0 ? [] : [refused])];
  }
  const accounts = new Accounts(allowedUsers);
  const others = allowedUsers.map(async (user) => {
    const result = await accounts.find(user);
    if (result.kind === "found") return ok(`jobs may run as ${user} (uid ${result.account.uid})`);
    return problem(`JOBRUNNER_ALLOWED_USERS: ${user} ${result.problem}`, "create the user, or remove it from the variable");
  });
  const root = "run the service as a user of its own, as the unit in packaging/systemd does, unless jobs need root or several users";
  return [note(`${own}: everybody with a token of the role submit can become root`, root), ...(await Promise.all(others))];
}
