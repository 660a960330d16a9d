import { createContext } from "preact";
import { ApiError } from "../../../src/client/index.ts";

/** What the service says of the fields of a job that it refused. */
export type FieldProblems = { at: (path: string) => string | null };

export const Problems = createContext<FieldProblems>({ at: () => null });

/** Those with a field, by its path; and what is said of the whole. */
export type Refusal = { whole: string; fields: { field: string; message: string }[] };

export function refusalOf(error: unknown): Refusal {
  const whole = error instanceof Error ? error.message : String(error);
  return { whole, fields: error instanceof ApiError ? error.errors : [] };
}

/** The path of what holds all fields. */
export const wholePath = "";

/** A field that is below another, such as `Environment.A` or `Commands[0].Args[1]`, is said at the nearest that is shown. */
export function problemsOf({ fields }: Refusal): FieldProblems {
  return {
    at: (path) => {
      const own = fields.filter(
        ({ field }) => path === wholePath || field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`),
      );
      return own.length === 0
        ? null
        : own
            .map(({ field, message }) => `${field === path ? "" : `${field.slice(path.length).replace(/^\./, "")} `}${message}`)
            .join("; ");
    },
  };
}
