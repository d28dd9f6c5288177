/** Reads a file of endpoints. Every problem is found at once, each with its line and its path in the document. */
import { basename, dirname } from "node:path";
import { isFields } from "@postrider/core";
import type { FileProblem } from "./file-problem.ts";
import { parseList, textOfFile, type ListFile } from "./list-file.ts";
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

export interface EndpointsFile {
  readonly wanted: readonly Wanted[];
  /** Where it is not empty, `wanted` has only what could be read. */
  readonly problems: readonly FileProblem[];
  readonly placeOf: ListFile["placeOf"];
}

/** Throws `CliError` for a file that cannot be read. */
export function readEndpointsFile(path: string, env: Env): EndpointsFile {
  return parseEndpoints(textOfFile(path), {
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
  const file = parseList(text, { name: of.name, list: "endpoints" });
  const { problems, wrong, placeOf } = file;
  const wanted: Wanted[] = [];
  const seen = new Map<string, string>();
  for (const [index, given] of file.items.entries()) {
    const at = `endpoints[${index}]`;
    if (!isFields(given)) {
      wrong(at, "must be a map of fields");
      continue;
    }
    const { fields, hidden } = resolved(given, of, (path, message) =>
      wrong(`${at}.${path}`, message),
    );
    const tenantId = textOf(fields["tenantId"] ?? file.tenantId);
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

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
