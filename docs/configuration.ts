// `node docs/configuration.ts` writes configuration.md beside it from the table in src/config.ts.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { variables } from "../src/config.ts";

export function configurationPage(): string {
  // As an ordinary user has it, on whatever box and as whomever this runs.
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
    "Written by `make docs` from src/config.ts; do not edit. Environment variables are all that there is. Mistakes in them, and variables of",
    "this prefix that are not known, are told at the start, all at once, and the service does not start.",
    "",
    "| variable | default | |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "configuration.md"), configurationPage());
