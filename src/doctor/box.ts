import { accessSync, constants } from "node:fs";

/** What is looked at, and what is found. */

export type Box = {
  version: string;
  settings: Settings;
  /** In the configuration, as sentences; the settings are then as far as they could be read. */
  mistakes: string[];
  supervisor: { path: string } | { problem: string };
};

/** How the service would be configured, as far as it matters to the box. */
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

/** `note`: jobs run, but something is not as it could be. `problem`: something that was asked for, or every job, does not work. */
export type Level = "ok" | "note" | "problem";

/** `remedy`: what to do; null where nothing is to be done. */
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

/** A directory, in which this user may make something. */
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
