/** Where a file of node_modules belongs: the folder of its package, and its own within that. Null for all other files and for the bundler's own modules, whose names begin with a NUL. */
export function packageOf(path: string): { folder: string; name: string; within: string } | null {
  const [, folder, name, within] = /^([^\0]*\/node_modules\/((?:@[^/]+\/)?[^/]+))(?:\/(.*))?\/[^/]*$/.exec(path) ?? [];
  return folder === undefined || name === undefined ? null : { folder, name, within: within ?? "" };
}
