// `node docs/configuration.ts` writes configuration.md beside it, from the variables that src/config.ts declares.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { variables } from "../src/config.ts";

export function configurationPage(): string {
  // The defaults of an ordinary user, whichever user runs this.
  const rows = variables({ HOME: "~", XDG_STATE_HOME: "/XDG_STATE_HOME" }).map(({ name, fallback, meaning }) => {
    const shown =
      name === "JOBRUNNER_STATE_DIR"
        ? "`$XDG_STATE_HOME/jobrunner`, else `~/.local/state/jobrunner`; root: `/var/lib/jobrunner`"
        : fallback === ""
          ? ""
          : `\`${fallback}\``;
    return `| \`${name}\` | ${shown} | ${meaning} |`;
  });
  return [
    "# Configuration",
    "",
    "Written by `make docs` from src/config.ts; do not edit. The service is configured by environment variables only. It reports all wrong",
    "values, and all unknown variables that begin with `JOBRUNNER_`, at once and does not start.",
    "",
    "| variable | default | |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "configuration.md"), configurationPage());
