import { posix } from "node:path";
import type { Plugin } from "rolldown";
import { packageOf } from "./packages.ts";

/**
 * Makes a library that reads files beside itself look into a folder of its name beside the bundle. Otherwise it would look into the folder
 * of the bundle itself, or above it.
 */
export function foldersOfPackages(): Plugin {
  return {
    name: "folders-of-packages",
    transform: {
      filter: { id: /\/node_modules\//, code: "__dirname" },
      handler(code, id) {
        const place = packageOf(id);
        if (place === null) return null;
        const folder = JSON.stringify(`/${posix.join(place.name, place.within)}`);
        const replaced = code.replaceAll(/(?<![\w$.])__dirname(?![\w$])/g, `(__dirname + ${folder})`);
        return { code: replaced, map: null }; // no line changes its number
      },
    },
  };
}
