/** What has to be done so that the endpoints are as a file wants them. Control judges each one; nothing is written. */
import { isFields, isSecretHeader, REDACTED } from "@postrider/core";
import type { ApiRequest } from "../api.ts";
import type { Endpoint } from "../read-endpoints.ts";
import type { EndpointsFile, Wanted } from "./endpoints-file.ts";
import type { FileProblem } from "./file-problem.ts";
import type { Change } from "./plan-lines.ts";

/** One endpoint and what is to be done with it. */
export type Step =
  | {
      readonly kind: "create";
      readonly wanted: Wanted;
      readonly changes: readonly Change[];
    }
  | {
      readonly kind: "change";
      readonly wanted: Wanted;
      readonly stored: Endpoint;
      readonly changes: readonly Change[];
    }
  | {
      readonly kind: "unchanged";
      readonly wanted: Wanted;
      readonly stored: Endpoint;
    }
  | { readonly kind: "delete"; readonly stored: Endpoint };

export interface Plan {
  readonly steps: readonly Step[];
  /** Of the file and of what control says. Where there are any, nothing is to be done. */
  readonly problems: readonly FileProblem[];
}

/** What `POST /v1/endpoints/validate` answers. */
interface Validation {
  readonly errors: readonly {
    readonly field: string;
    readonly message: string;
  }[];
  readonly changes: readonly Change[] | null;
}

export async function planOf(
  file: EndpointsFile,
  of: {
    /** Every endpoint of a tenant. */
    readonly stored: (tenantId: string) => Promise<readonly Endpoint[]>;
    readonly call: (request: ApiRequest) => Promise<unknown>;
    /** Delete what has an externalId and is not in the file. */
    readonly prune: boolean;
  },
): Promise<Plan> {
  const problems = [...file.problems];
  const steps: Step[] = [];
  const byName = new Map<string, Endpoint>();
  const tenants = new Set(file.wanted.map(({ tenantId }) => tenantId));
  tenants.delete("");
  for (const tenantId of tenants)
    for (const endpoint of await of.stored(tenantId))
      if (endpoint.externalId !== null)
        byName.set(nameOf(tenantId, endpoint.externalId), endpoint);

  for (const wanted of file.wanted) {
    const { tenantId, externalId, at } = wanted;
    const name = nameOf(tenantId, externalId);
    const stored = byName.get(name);
    byName.delete(name);
    const query =
      stored === undefined ? "" : `?id=${encodeURIComponent(stored.id)}`;
    const { errors, changes } = (await of.call({
      method: "POST",
      path: `/v1/endpoints/validate${query}`,
      body: JSON.stringify(wanted.body),
    })) as Validation; // this is what control's API answers
    const isNew = (field: string): boolean =>
      !problems.some(({ path }) => path === `${at}.${field}`);
    for (const { field, message } of errors) {
      // What has no name is told once, by the file.
      if (field === "tenantId" && tenantId === "") continue;
      if (field === "externalId" && externalId === "") continue;
      if (!isNew(field)) continue;
      const path = field === "" || field === "body" ? at : `${at}.${field}`;
      problems.push({ ...file.placeOf(path), path, message });
    }
    if (stored === undefined)
      steps.push({ kind: "create", wanted, changes: fieldsOf(wanted) });
    else if (changes === null || changes.length === 0)
      steps.push({ kind: "unchanged", wanted, stored });
    else {
      const shown = changes.map((change) => hiddenIn(wanted, change));
      steps.push({ kind: "change", wanted, stored, changes: shown });
    }
  }
  if (of.prune)
    for (const stored of byName.values())
      // A `listen` that runs removes its own endpoint.
      if (stored.externalId?.startsWith("listen:") !== true)
        steps.push({ kind: "delete", stored });
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { steps, problems };
}

/** What a new endpoint has of the file, each header by itself. */
function fieldsOf(wanted: Wanted): Change[] {
  const { tenantId: _, externalId: __, ...settings } = wanted.body;
  return Object.entries(settings)
    .flatMap(([field, to]) =>
      field === "headers" && isFields(to)
        ? Object.entries(to).map(([name, value]) => ({
            field: `headers.${name}`,
            to: isSecretHeader(name) ? REDACTED : value,
          }))
        : [{ field, to }],
    )
    .map(({ field, to }) => hiddenIn(wanted, { field, from: null, to }));
}

function hiddenIn({ hidden }: Wanted, change: Change): Change {
  // What is stored may have the name in another case: a header's name is one whatever its case.
  const field = change.field.toLowerCase();
  if (![...hidden].some((each) => each.toLowerCase() === field)) return change;
  const shown = (value: unknown): unknown => (value === null ? null : REDACTED);
  return { ...change, from: shown(change.from), to: shown(change.to) };
}

function nameOf(tenantId: string, externalId: string): string {
  return JSON.stringify([tenantId, externalId]);
}

/** The fields of a PATCH: what the file has of each field that changes, else its default. */
export function patchOf(
  wanted: Wanted,
  changes: readonly Change[],
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const { field, to } of changes) {
    const [name = ""] = field.split(".");
    patch[name] = wanted.body[name] ?? (name === "headers" ? {} : to);
  }
  return patch;
}
