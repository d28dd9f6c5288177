/** Values that stand elsewhere: `{env: NAME}` is that variable, `{file: PATH}` what is in that file, from the document's folder on. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isFields, type Fields } from "@postrider/core";
import { reasonOf } from "../cli-error.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** The fields that may be references: those that may hold a secret. Of `headers` it is each of them. */
const MAY_REFER = ["secret", "url"] as const;

/** The fields with what their references stand for, and the names of those that must not be shown. */
export function resolved(
  given: Fields,
  of: { readonly env: Env; readonly folder: string },
  wrong: (path: string, message: string) => void,
): { readonly fields: Fields; readonly hidden: ReadonlySet<string> } {
  const hidden = new Set(["secret"]);
  const value = (path: string, from: unknown): unknown => {
    if (!isFields(from)) return from;
    hidden.add(path);
    const [problem, text] = textOf(from, of);
    if (problem === null) return text;
    wrong(path, problem);
    // Any text: what it should be is not known, and the other fields are still to be judged.
    return "unknown";
  };
  const fields: Record<string, unknown> = { ...given };
  for (const name of MAY_REFER)
    if (name in fields) fields[name] = value(name, fields[name]);
  const { headers } = given;
  if (isFields(headers))
    fields["headers"] = Object.fromEntries(
      Object.entries(headers).map(([name, from]) => [
        name,
        value(`headers.${name}`, from),
      ]),
    );
  return { fields, hidden };
}

function textOf(
  reference: Fields,
  { env, folder }: { readonly env: Env; readonly folder: string },
): readonly [problem: string, text: null] | readonly [null, text: string] {
  const [[kind, name] = ["", ""], ...more] = Object.entries(reference);
  if (more.length > 0 || typeof name !== "string" || name === "")
    return ["must be a text, {env: NAME} or {file: PATH}", null];
  switch (kind) {
    case "env": {
      const text = env[name] ?? "";
      return text === ""
        ? [`the environment variable ${name} is not set`, null]
        : [null, text];
    }
    case "file":
      try {
        return [null, readFileSync(resolve(folder, name), "utf8").trimEnd()];
      } catch (error) {
        return [`${name} cannot be read: ${reasonOf(error)}`, null];
      }
    default:
      return ["must be a text, {env: NAME} or {file: PATH}", null];
  }
}
