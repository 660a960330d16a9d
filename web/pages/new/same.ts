import { quoted } from "../../../src/lib/quoted.ts";
import type { JobSpec } from "../../../src/client/index.ts";
import { optionGroupsOf } from "./same-options.ts";

/**
 * The same job, for a terminal. Secrets stand there by their names alone, and a token not at all. What is written here was typed: it need
 * not be a job, and is shown as it is.
 */

const placeholder = "…";

export function asJson(spec: JobSpec): string {
  return JSON.stringify(withoutSecrets(spec), null, 2);
}

/** `hasToken`: one is needed; it is taken from the environment. */
export function asCurl(spec: JobSpec, { url, hasToken }: { url: string; hasToken: boolean }): string {
  const token = hasToken ? ' -H "Authorization: Bearer $JOBRUNNER_TOKEN"' : "";
  return `curl${token} -d ${quoted(JSON.stringify(withoutSecrets(spec)))} ${quoted(url)}`;
}

/** By options where they can say all of it, else from a file that is written here. */
export function asRun(spec: JobSpec): string {
  const groups = optionGroupsOf(spec);
  if (groups !== null) {
    const command = ["jobrunner run", ...groups.map((words) => words.map(quoted).join(" "))].filter((part) => part !== "");
    const stdin = spec.Stdin === undefined ? "" : `printf %s ${quoted(spec.Stdin)} | `;
    return `${stdin}${command.slice(0, 2).join(" ")}${command
      .slice(2)
      .map((step) => ` \\\n  ${step}`)
      .join("")}`;
  }
  const { Secrets, ...file } = spec;
  const secrets = Object.keys(Secrets ?? {}).flatMap((name) => ["--secret", quoted(name)]);
  const end = "END";
  return `${["jobrunner run", ...secrets, "--file -"].join(" ")} <<'${end}'\n${JSON.stringify(file, null, 2)}\n${end}`;
}

function withoutSecrets(spec: JobSpec): JobSpec {
  const { Secrets } = spec;
  return Secrets === undefined ? spec : { ...spec, Secrets: Object.fromEntries(Object.keys(Secrets).map((name) => [name, placeholder])) };
}
