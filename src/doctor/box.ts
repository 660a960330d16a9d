import { accessSync, constants } from "node:fs";

/** The input and the result of a check. */

export type Box = {
  version: string;
  settings: Settings;
  /** Mistakes in the configuration, as sentences. A setting that cannot be read has its default. */
  mistakes: string[];
  supervisor: { path: string } | { problem: string };
};

/** The configuration of the service, as far as it concerns the box. */
export type Settings = {
  port: number | null;
  hostname: string;
  socketPath: string | null;
  stateDir: string;
  maxRunning: number;
  shell: string;
  cgroups: "auto" | "off";
  containerEngine: string;
  engineEnvironment: Record<string, string>;
  minFreeBytes: number;
  allowedUsers: string[];
  access: { localTrust: boolean };
  tls: { certificate: string | null; key: string | null; clientCa: string | null };
  limits: { maxConnections: number };
};

/** `note`: jobs run, but something could be better. `problem`: no job runs, or something that is configured does not work. */
export type Level = "ok" | "note" | "problem";

/** `remedy`: what to do; null: nothing. */
export type Finding = { level: Level; found: string; remedy: string | null };

export type Check = (box: Box) => Finding[] | Promise<Finding[]>;

export function ok(found: string): Finding {
  return { level: "ok", found, remedy: null };
}

export function note(found: string, remedy: string): Finding {
  return { level: "note", found, remedy };
}

export function problem(found: string, remedy: string): Finding {
  return { level: "problem", found, remedy };
}

/** Whether this user may create files in a directory. */
export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
