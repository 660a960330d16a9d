/**
 * The folder and name of the package that a file of node_modules belongs to, and its folder within the package. Null for all other files,
 * and for modules that the bundler makes, whose names begin with a NUL.
 */
export function packageOf(path: string): { folder: string; name: string; within: string } | null {
  const [, folder, name, within] = /^([^\0]*\/node_modules\/((?:@[^/]+\/)?[^/]+))(?:\/(.*))?\/[^/]*$/.exec(path) ?? [];
  return folder === undefined || name === undefined ? null : { folder, name, within: within ?? "" };
}
