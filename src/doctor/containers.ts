import { EngineFinder } from "../runner/containers/finder.ts";
import { baseEnvironment } from "../runner/plan.ts";
import { ownUser } from "../identity/own-user.ts";
import { type Box, type Finding, note, ok, problem } from "./box.ts";
import { distribution } from "./distribution.ts";

/** Which engine runs containers. Without one all other jobs run; where a certain one was asked for, it must be there. */
export async function containers({ settings: { containerEngine: wanted, engineEnvironment } }: Box): Promise<Finding[]> {
  if (wanted === "none") return [ok("switched off by JOBRUNNER_CONTAINER_ENGINE=none")];
  const finder = new EngineFinder({
    wanted,
    environment: { ...baseEnvironment, ...engineEnvironment },
    ownInit: null,
    log: () => undefined,
  });
  const state = await finder.find();
  const level = wanted === "auto" ? note : problem;
  switch (state.kind) {
    case "ready":
      return [ok(`${state.engine.client.kind} ${state.version}, ${state.engine.client.path}`)];
    case "silent":
      return [
        level(
          `${state.engine.client.path} is there, and its engine does not answer: ${state.problem}`,
          awaken(state.engine.client.kind, state.problem),
        ),
      ];
    case "none": {
      const { install, engine } = distribution();
      const [found] = state.problem.split(": ");
      const other = engine === "podman" ? "" : `, or ${install} podman`;
      return [level(found ?? state.problem, `${install} ${engine}${other}; JOBRUNNER_CONTAINER_ENGINE=none if there is to be none`)];
    }
  }
}

function awaken(kind: string, said: string): string {
  if (/permission denied/i.test(said))
    return `usermod --append --groups ${kind} ${ownUser.name}, then log in again: who may do that is root on this box`;
  if (kind === "docker") return "systemctl start docker (or set DOCKER_HOST to where it is); docker version must answer";
  return `see what ${kind} info says, as this user`;
}
