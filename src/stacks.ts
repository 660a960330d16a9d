import { readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";

/**
 * Stacks of the bundle in terms of the source, by the maps beside the bundle. They are read when there is a stack to show: with Node's
 * own --enable-source-maps a start takes twice as long, and the maps stay in memory.
 */

/** The stack with files, lines and columns of the source, as far as they are known; one of the source itself stays as it is. */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | null>();
  return stack.replaceAll(bundledPositions, (position: string, file: string, line: string, column: string) => {
    const found = origins.get(position) ?? originOf({ file, line: Number(line), column: Number(column) }, maps) ?? position;
    origins.set(position, found);
    return found;
  });
}

const folder = import.meta.dirname;
const bundledPositions = new RegExp(`${RegExp.escape(folder)}/([^/:]+\\.cjs):(\\d+):(\\d+)`, "g");

/** Of all places that were in a stack so far: an error that comes again and again takes the time for maps once. */
const origins = new Map<string, string>();

type SourcePosition = { file: string; line: number; column: number };

/** By the path from the folder above the bundle, such as `src/serve.ts:31:5`. */
function originOf({ file, line, column }: SourcePosition, maps: Map<string, SourceMap | null>): string | null {
  const map = maps.get(file) ?? readMap(file);
  maps.set(file, map);
  const origin = map?.findOrigin(line, column);
  return origin !== undefined && "fileName" in origin
    ? `${origin.fileName.replace(/^\.\.\//, "")}:${origin.lineNumber}:${origin.columnNumber}`
    : null;
}

function readMap(file: string): SourceMap | null {
  const path = join(folder, `${file}.map`);
  try {
    // What was put there after this process began is of another build. Not by mtime: npm gives all files the same.
    return statSync(path).ctimeMs > performance.timeOrigin ? null : new SourceMap(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return null; // another build may be in the bundle's position
  }
}
