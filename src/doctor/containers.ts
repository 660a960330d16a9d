import { EngineFinder } from "../runner/containers/finder.ts";
import { baseEnvironment } from "../runner/plan.ts";
import { ownUser } from "../identity/own-user.ts";
import { type Box, type Finding, note, ok, problem } from "./box.ts";
import { distribution } from "./distribution.ts";

/** Which engine runs containers. Jobs without containers need none. An engine that is configured by name must be there. */
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
          `${state.engine.client.path} is installed, but its engine does not answer: ${state.problem}`,
          remedyFor(state.engine.client.kind, state.problem),
        ),
      ];
    case "none": {
      const { install, engine } = distribution();
      const [found] = state.problem.split(": ");
      const other = engine === "podman" ? "" : `, or ${install} podman`;
      return [level(found ?? state.problem, `${install} ${engine}${other}; or set JOBRUNNER_CONTAINER_ENGINE=none`)];
    }
  }
}

function remedyFor(kind: string, said: string): string {
  if (/permission denied/i.test(said))
    return `usermod --append --groups ${kind} ${ownUser.name}, then log in again; members of this group can become root`;
  if (kind === "docker") return "systemctl start docker, or set DOCKER_HOST; then docker version must work";
  return `run ${kind} info as this user`;
}
