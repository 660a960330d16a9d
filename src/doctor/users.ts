import { Accounts } from "../runner/accounts.ts";
import { ownUser } from "../identity/own-user.ts";
import { type Box, type Finding, note, ok, problem } from "./box.ts";

/** Who the service would be, and as whom else jobs may run. */
export async function users({ settings: { allowedUsers } }: Box): Promise<Finding[]> {
  const { name, uid } = ownUser;
  const own = `service and jobs run as ${name} (uid ${uid})`;
  if (uid !== 0) {
    const refused = problem(
      `JOBRUNNER_ALLOWED_USERS is set, and only a service that is root can run jobs as others`,
      "run it as root, or leave JOBRUNNER_ALLOWED_USERS empty",
    );
    return [ok(own), ...(allowedUsers.length === 0 ? [] : [refused])];
  }
  const accounts = new Accounts(allowedUsers);
  const others = allowedUsers.map(async (user) => {
    const result = await accounts.find(user);
    if (result.kind === "found") return ok(`jobs may run as ${user} (uid ${result.account.uid})`);
    return problem(`JOBRUNNER_ALLOWED_USERS: ${user} ${result.problem}`, "make the user, or leave it out");
  });
  const root = "give it a user of its own, as the unit in packaging/systemd does, unless jobs are to be root or to run as several users";
  return [note(`${own}: a token of role submit is worth root`, root), ...(await Promise.all(others))];
}
