import type { Command } from "commander";
import type { Box } from "../../doctor/box.ts";

export type DoctorDependencies = {
  version: string;
  print: (text: string) => void;
  /** The valid part of the configuration, and its mistakes as sentences. */
  configuration: () => Pick<Box, "settings" | "mistakes">;
  /** The path of the supervisor's program; rejects with a sentence for people if there is none. */
  supervisorPath: (settings: Box["settings"]) => Promise<string>;
  /** Called with the exit status. */
  finish: (status: number) => void;
};

export function addDoctor(program: Command, dependencies: DoctorDependencies): void {
  program
    .command("doctor")
    .description("Check what this machine can do, and say how to fix the rest; exit with 1 if something that is configured does not work")
    .option("--json", "Print JSON")
    .exitOverride()
    .action(async ({ json = false }: { json?: boolean }) => {
      const [{ doctor }, { documentOf, isWell }] = await Promise.all([
        import("../../doctor/doctor.ts"),
        import("../../doctor/diagnosis.ts"),
      ]);
      const { version, print, configuration, finish } = dependencies;
      const { settings, mistakes } = configuration();
      const diagnosis = await doctor({ version, settings, mistakes, supervisor: await supervisorOf(dependencies, settings) });
      print(json ? JSON.stringify(documentOf(diagnosis)) : (await import("../diagnosis-table.ts")).diagnosisTable(diagnosis));
      finish(isWell(diagnosis) ? 0 : 1);
    });
}

async function supervisorOf({ supervisorPath }: DoctorDependencies, settings: Box["settings"]): Promise<Box["supervisor"]> {
  try {
    return { path: await supervisorPath(settings) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
