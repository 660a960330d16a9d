import { readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";

/**
 * Translates stacks of the bundle to positions in the source, with the source maps beside the bundle. The maps are read when there is a
 * stack to show: with Node's --enable-source-maps a start takes twice as long, and the maps stay in memory.
 */

/** The stack with files, lines and columns of the source where they are known. A stack that names the source already is unchanged. */
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

/** All positions translated so far: an error that repeats reads the maps once. */
const origins = new Map<string, string>();

type SourcePosition = { file: string; line: number; column: number };

/** The position with its path from the folder above the bundle, such as `src/serve.ts:31:5`. */
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
    // A map that is newer than this process belongs to another build. Compare ctime, because npm gives all files the same mtime.
    return statSync(path).ctimeMs > performance.timeOrigin ? null : new SourceMap(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return null; // another build may have replaced the bundle
  }
}
