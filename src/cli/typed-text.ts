import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { unreadable, UsageError } from "./usage-error.ts";

/** Reads files that options name. */

/** The text of a file, or of standard input for "-". */
export async function readText(stdin: Readable, { option, file }: { option: string; file: string }): Promise<string> {
  const named = `${option} ${JSON.stringify(file)}`;
  const content = await (file === "-" ? buffer(stdin) : readFile(file)).catch((cause: unknown) => {
    throw unreadable(named, cause);
  });
  if (!isUtf8(content)) throw new UsageError(`${named} must hold text, in UTF-8`);
  return content.toString();
}

/** A job from a JSON or YAML file. The service validates it. */
export async function readJob(stdin: Readable, file: string): Promise<Record<string, unknown>> {
  const value = await parse(await readText(stdin, { option: "--file", file }), file);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`--file ${JSON.stringify(file)} must hold a job, such as {"CommandLine": "make"}`);
  return Object.fromEntries(Object.entries(value));
}

/** JSON is also YAML, but a JSON parser reads it much faster. */
async function parse(text: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    const yaml = await import("yaml");
    try {
      return yaml.parse(text);
    } catch (cause) {
      throw new UsageError(`--file ${JSON.stringify(file)}: ${cause instanceof Error ? cause.message.trim() : String(cause)}`, { cause });
    }
  }
}
