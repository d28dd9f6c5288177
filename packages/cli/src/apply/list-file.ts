/** Reads a YAML or JSON document with one list, such as `endpoints`. Every problem is found at once, each with its line and its path in the document. */
import { readFileSync } from "node:fs";
import { isFields } from "@postrider/core";
import { fileProblem } from "@postrider/runtime";
import { LineCounter, parseDocument, type Document } from "yaml";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import type { FileProblem, Place } from "./file-problem.ts";

export interface ListFile {
  readonly items: readonly unknown[];
  /** The document's own; undefined: it has none. */
  readonly tenantId: unknown;
  /** What was found so far. */
  readonly problems: FileProblem[];
  /** Adds a problem, with the place of its path. */
  wrong(path: string, message: string): void;
  /** The place of a path in the document, for problems that are found later. */
  placeOf(path: string): Place;
}

/** Throws `CliError` for a file that cannot be read. */
export function textOfFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError(EXIT.usage, fileProblem("--file", path, error));
  }
}

/** `list`: the name of the list. Where the document is none, it is empty, and a problem says so. */
export function parseList(
  text: string,
  of: { readonly name: string; readonly list: string },
): ListFile {
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
  const root =
    problems.length > 0 ? undefined : rootOf(document, of.list, wrong);
  return { items: [], tenantId: undefined, ...root, problems, wrong, placeOf };
}

function rootOf(
  document: Document,
  list: string,
  wrong: ListFile["wrong"],
): Pick<ListFile, "items" | "tenantId"> | undefined {
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 1_000 });
  } catch (error) {
    wrong("", reasonOf(error));
    return undefined;
  }
  const items = isFields(root) ? root[list] : undefined;
  if (!isFields(root) || !Array.isArray(items)) {
    wrong("", `must have a list \`${list}\``);
    return undefined;
  }
  for (const name of Object.keys(root))
    if (name !== list && name !== "tenantId")
      wrong(name, `is not a field of the document: tenantId, ${list}`);
  return { items, tenantId: root["tenantId"] };
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
