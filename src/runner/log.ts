/** Writes a line to the log. A job's ID is its field `job`, an error its field `err`. */
export type Log = (level: "info" | "warn" | "error", message: string, fields?: object) => void;
