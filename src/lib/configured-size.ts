const units: [unit: string, bytes: number][] = ["kB", "MB", "GB", "TB"].flatMap((decimal, index): [string, number][] => [
  [decimal, 1000 ** (index + 1)],
  [["KiB", "MiB", "GiB", "TiB"][index] ?? "", 1024 ** (index + 1)],
]);

/**
 * A size as somebody configures it, exactly: `16 MiB`, `5 GB`, `1,234,567 bytes`. Measured sizes are rounded; a limit that is rounded to
 * other units could not be found again in the configuration.
 */
export function configuredSize(bytes: number): string {
  const largest = units.findLast(([, ofUnit]) => bytes > 0 && bytes % ofUnit === 0);
  const [unit, ofUnit] = largest ?? ["bytes", 1];
  return `${(bytes / ofUnit).toLocaleString("en")} ${unit}`;
}
