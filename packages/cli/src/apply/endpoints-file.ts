/** Reads a file of endpoints. Every problem is found at once, each with its line and its path in the document. */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isFields } from "@postrider/core";
import { fileProblem } from "@postrider/runtime";
import { LineCounter, parseDocument, type Document } from "yaml";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { resolved, type Env } from "./references.ts";

/** An endpoint as the file wants it. */
export interface Wanted {
  /** Its path in the document: `endpoints[3]`. */
  readonly at: string;
  readonly tenantId: string;
  readonly externalId: string;
  /** The body of a creation. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Fields whose values are not to be shown: the secret, and what a reference stands for (`url`, `headers.x-team`). */
  readonly hidden: ReadonlySet<string>;
}

/** Where in a file something is. */
export interface Place {
  readonly file: string;
  /** From 1; null: it is known of the whole only. */
  readonly line: number | null;
}

export interface FileProblem extends Place {
  /** The path in the document; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

export interface EndpointsFile {
  readonly wanted: readonly Wanted[];
  /** Where it is not empty, `wanted` has only what could be read. */
  readonly problems: readonly FileProblem[];
  /** The place of a path in the document, for problems that are found later. */
  placeOf(path: string): Place;
}

/** Throws `CliError` for a file that cannot be read. */
export function readEndpointsFile(path: string, env: Env): EndpointsFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError(EXIT.usage, fileProblem("--file", path, error));
  }
  return parseEndpoints(text, {
    name: basename(path),
    folder: dirname(path),
    env,
  });
}

export function parseEndpoints(
  text: string,
  of: {
    readonly name: string;
    /** In which files that the document names are looked for. */
    readonly folder: string;
    readonly env: Env;
  },
): EndpointsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems: FileProblem[] = [];
  const placeAt = (offset: number | undefined): Place => ({
    file: of.name,
    line: offset === undefined ? null : lines.linePos(offset).line,
  });
  const placeOf = (path: string): Place =>
    placeAt(offsetAt(document, partsOf(path)));
  const wrong = (path: string, message: string): void =>
    void problems.push({ ...placeOf(path), path, message });

  for (const { pos, message } of document.errors)
    problems.push({
      ...placeAt(pos[0]),
      path: "",
      message: message.split("\n")[0] ?? message,
    });
  const root = problems.length > 0 ? undefined : rootOf(document, wrong);
  if (root === undefined) return { wanted: [], problems, placeOf };

  const wanted: Wanted[] = [];
  const seen = new Map<string, string>();
  for (const [index, given] of root.endpoints.entries()) {
    const at = `endpoints[${index}]`;
    if (!isFields(given)) {
      wrong(at, "must be a map of fields");
      continue;
    }
    const { fields, hidden } = resolved(given, of, (path, message) =>
      wrong(`${at}.${path}`, message),
    );
    const tenantId = textOf(fields["tenantId"] ?? root.tenantId);
    const externalId = textOf(fields["externalId"]);
    if (tenantId === "")
      wrong(at, "needs a tenantId, its own or the document's");
    if (externalId === "")
      wrong(at, "needs an externalId, by which it is found again");
    const name = JSON.stringify([tenantId, externalId]);
    const first = seen.get(name);
    if (first !== undefined && externalId !== "")
      wrong(at, `has the tenantId and the externalId of ${first}`);
    seen.set(name, first ?? at);
    const body = { ...fields, tenantId };
    wanted.push({ at, tenantId, externalId, body, hidden });
  }
  return { wanted, problems, placeOf };
}

function rootOf(
  document: Document,
  wrong: (path: string, message: string) => void,
): { readonly endpoints: readonly unknown[]; tenantId: unknown } | undefined {
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 1_000 });
  } catch (error) {
    wrong("", reasonOf(error));
    return undefined;
  }
  if (!isFields(root) || !Array.isArray(root["endpoints"])) {
    wrong("", "must have a list `endpoints`");
    return undefined;
  }
  for (const name of Object.keys(root))
    if (name !== "endpoints" && name !== "tenantId")
      wrong(name, "is not a field of the document: tenantId, endpoints");
  return { endpoints: root["endpoints"], tenantId: root["tenantId"] };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** `endpoints[3].headers.x-team` as the keys that lead there. */
function partsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, index, name = ""]) => (index === undefined ? name : Number(index)),
  );
}

/** Where the innermost part of the path is that the document has. */
function offsetAt(
  document: Document,
  parts: readonly (string | number)[],
): number | undefined {
  for (let length = parts.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(parts.slice(0, length), true);
    const range = (node as { range?: readonly number[] | null } | undefined)
      ?.range; // a node of the library, where the path leads to one
    if (range?.[0] !== undefined) return range[0];
  }
  return undefined;
}
