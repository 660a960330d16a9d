import { strict as assert } from "node:assert";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Answer } from "./http.ts";

type Parts = { [key: string]: unknown };

/** An OpenAPI document as a contract for answers. */
export class Contract {
  readonly #document: Parts;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: Parts) {
    this.#document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "document", ...document });
  }

  /** Checks that the answer's status, type and body are described, and fit the description. */
  check({ method, path }: { method: string; path: string }, answer: Answer): void {
    const what = `${method} ${path}: ${answer.status} ${answer.text.slice(0, 500)}`;
    const template = templateOf(path.split("?", 1)[0] ?? "", Object.keys(partOf(this.#document["paths"])));
    assert.ok(template !== undefined, `${what}: the path is not described`);
    const type = answer.headers["content-type"]?.split(";", 1)[0] ?? "";
    const pointer = ["paths", template, method.toLowerCase(), "responses", String(answer.status), "content", type, "schema"];
    assert.ok(this.#at(pointer) !== undefined, `${what}: ${type} is not described`);
    for (const value of valuesOf(type, answer.text)) this.#assertFits(pointer, value, what);
  }

  /** Status and code of all problems that any call may be answered with. */
  problems(): string[] {
    const found = new Set<string>();
    for (const { responses } of this.#operations()) {
      for (const [status, response] of Object.entries(responses)) {
        const examples = partOf(partOf(partOf(partOf(response)["content"])["application/problem+json"])["examples"]);
        for (const code of Object.keys(examples)) found.add(`${status} ${code}`);
      }
    }
    return [...found].toSorted();
  }

  /** Checks that every example fits its schema. Returns the number of examples. */
  checkExamples(): number {
    let count = 0;
    const walk = (value: unknown, pointer: string[]): void => {
      if (typeof value !== "object" || value === null) return;
      const { schema, examples } = partOf(value);
      if (schema !== undefined && examples !== undefined) {
        for (const example of Object.values(partOf(examples))) {
          this.#assertFits([...pointer, "schema"], partOf(example)["value"], `the example at ${pointer.join("/")}`);
          count += 1;
        }
      } else if (Array.isArray(examples)) {
        for (const example of examples) this.#assertFits(pointer, example, `the example at ${pointer.join("/")}`);
        count += examples.length;
      }
      for (const [key, part] of Object.entries(value)) if (key !== "examples") walk(part, [...pointer, key]);
    };
    walk(this.#document, []);
    return count;
  }

  *#operations(): Generator<{ responses: Parts }> {
    for (const path of Object.values(partOf(this.#document["paths"]))) {
      for (const operation of Object.values(partOf(path))) yield { responses: partOf(partOf(operation)["responses"]) };
    }
  }

  #at(pointer: string[]): unknown {
    return pointer.reduce<unknown>((value, key) => partOf(value)[key], this.#document);
  }

  #assertFits(pointer: string[], value: unknown, what: string): void {
    const reference: AnySchema = {
      $ref: `document#/${pointer.map((key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`,
    };
    const isFitting = this.#ajv.validate(reference, value);
    assert.ok(isFitting, `${what}: ${JSON.stringify(this.#ajv.errors)}`);
  }
}

function partOf(value: unknown): Parts {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** The described path that matches a path. Literal paths precede those with a parameter, as in the router. */
function templateOf(path: string, templates: string[]): string | undefined {
  const parameters = (template: string): number => template.split("{").length;
  return templates
    .toSorted((a, b) => parameters(a) - parameters(b))
    .find((template) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path));
}

function valuesOf(type: string, text: string): unknown[] {
  if (type === "application/x-ndjson")
    return text
      .split("\n")
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line));
  return [type.endsWith("json") ? JSON.parse(text) : text];
}
