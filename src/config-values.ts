import { isAbsolute, resolve } from "node:path";
import { isRole, type Role, roles } from "./identity/roles.ts";

/** Parsers for the text of a variable. The error of each continues a sentence that begins with the name of the variable. */

type Parser<Value> = (text: string) => Value;

export function integer(from: number, to: number): Parser<number> {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    throw new Error(`must be a whole number from ${from} to ${to}, not ${JSON.stringify(text)}`);
  };
}

export function port(text: string): number | null {
  return text === "none" ? null : integer(0, 65_535)(text);
}

export function oneOf<const Word extends string>(...words: Word[]): Parser<Word> {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new Error(`must be ${words.join(" or ")}, not ${JSON.stringify(text)}`);
  };
}

export function flag(text: string): boolean {
  return oneOf("true", "false")(text) === "true";
}

export function hostname(text: string): string {
  if (text === "" || isHostname(text)) return text.toLowerCase();
  throw new Error(`must be a name or address without a port, not ${JSON.stringify(text)}`);
}

export function hostnames(text: string): string[] {
  return list(text, (name) => {
    if (isHostname(name)) return name.toLowerCase().replace(/\.$/, "");
    throw new Error(`must be names or addresses without a port, separated by commas, not ${JSON.stringify(name)}`);
  });
}

export function directory(text: string): string {
  if (text === "") throw new Error("must be the path of a directory, not empty");
  return resolve(text);
}

/** An absolute path, or null if the variable is empty. */
export function optionalFile(text: string): string | null {
  if (text === "" || isAbsolute(text)) return text === "" ? null : text;
  throw new Error(`must be an absolute path, not ${JSON.stringify(text)}`);
}

export function program(text: string): string {
  if (text === "") throw new Error("must be the name or path of a program, not empty");
  return text;
}

export function users(text: string): string[] {
  return list(text, (name) => {
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/.test(name)) return name;
    throw new Error(`must be names or numbers of users, separated by commas, not ${JSON.stringify(name)}`);
  });
}

/** `name=role,name=role`: the role of each name. */
export function roleTable(text: string): Map<string, Role> {
  const pairs = list(text, (pair): [string, Role] => {
    const at = pair.lastIndexOf("=");
    const [name, role] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (at > 0 && name !== "" && isRole(role)) return [name, role];
    throw new Error(`must be like alice=admin,ci=submit, each role one of ${roles.join(", ")}, not ${JSON.stringify(pair)}`);
  });
  return new Map(pairs);
}

function isHostname(text: string): boolean {
  return /^[a-z0-9._:-]{1,253}$/i.test(text);
}

function list<Value>(text: string, parse: Parser<Value>): Value[] {
  return text === "" ? [] : text.split(",").map((part) => parse(part.trim()));
}
