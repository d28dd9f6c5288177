/** Reads a file of event types, and judges them as control does. */
import { basename } from "node:path";
import { isEventType, isFields } from "@postrider/core";
import { eventTypeProblems } from "@postrider/event-types";
import type { FileProblem } from "./file-problem.ts";
import { parseList, textOfFile } from "./list-file.ts";

/** An event type as the file wants it. What it leaves out has no value. */
export interface WantedType {
  readonly name: string;
  /** Null: it is every tenant's. */
  readonly tenantId: string | null;
  readonly description: string;
  readonly schema: unknown;
  readonly example: unknown;
}

export interface TypesFile {
  readonly wanted: readonly WantedType[];
  /** The document's own tenant, and those of its types. */
  readonly tenants: ReadonlySet<string | null>;
  readonly problems: readonly FileProblem[];
}

const FIELDS = new Set([
  "name",
  "tenantId",
  "description",
  "schema",
  "example",
]);

export function readTypesFile(path: string): TypesFile {
  return parseTypes(textOfFile(path), basename(path));
}

export function parseTypes(text: string, name: string): TypesFile {
  const file = parseList(text, { name, list: "eventTypes" });
  const { problems, wrong } = file;
  const ofAll = tenantOf(file.tenantId);
  if (ofAll === undefined) wrong("tenantId", "must be a tenant's id");
  const wanted: WantedType[] = [];
  const seen = new Map<string, string>();
  for (const [index, given] of file.items.entries()) {
    const at = `eventTypes[${index}]`;
    if (!isFields(given)) {
      wrong(at, "must be a map of fields");
      continue;
    }
    for (const field of Object.keys(given))
      if (!FIELDS.has(field))
        wrong(`${at}.${field}`, "is not a field of an event type");
    const { name: typeName, description = "" } = given;
    const { schema = null, example = null } = given;
    const tenantId =
      "tenantId" in given ? tenantOf(given["tenantId"]) : (ofAll ?? null);
    if (tenantId === undefined)
      wrong(`${at}.tenantId`, "must be a tenant's id");
    if (typeof typeName !== "string" || !isEventType(typeName)) {
      wrong(at, "needs a name of dotted words, such as order.paid");
      continue;
    }
    if (typeof description !== "string") {
      wrong(`${at}.description`, "must be a text");
      continue;
    }
    for (const { field, message } of eventTypeProblems({ schema, example }))
      wrong(field === "" ? at : `${at}.${field}`, message);
    const key = JSON.stringify([tenantId, typeName]);
    const first = seen.get(key);
    if (first !== undefined)
      wrong(at, `has the tenant and the name of ${first}`);
    seen.set(key, first ?? at);
    const owner = tenantId ?? null;
    wanted.push({
      name: typeName,
      tenantId: owner,
      description,
      schema,
      example,
    });
  }
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const tenants = new Set(wanted.map(({ tenantId }) => tenantId));
  return { wanted, tenants: tenants.add(ofAll ?? null), problems };
}

/** `undefined`: it is no tenant. */
function tenantOf(given: unknown): string | null | undefined {
  if (given === undefined || given === null) return null;
  return typeof given === "string" && given !== "" ? given : undefined;
}
