/** What has to be done so that event types are as a file wants them, and how it is shown and asked for. */
import { isDeepStrictEqual } from "node:util";
import type { ApiRequest } from "../api.ts";
import { matching } from "../endpoint-path.ts";
import { ownerOf, typePath, type EventType } from "../event-types.ts";
import type { Carried } from "./carry-out.ts";
import type { Change, ShownStep, StepKind } from "./plan-lines.ts";
import type { TypesFile, WantedType } from "./types-file.ts";

export interface TypeStep {
  readonly kind: StepKind;
  readonly wanted: Pick<WantedType, "name" | "tenantId">;
  /** Null: there is none yet. */
  readonly stored: EventType | null;
  readonly changes: readonly Change[];
}

/** How a step went, as `--json` prints it. */
export interface TypeOutcome extends Carried {
  readonly action: StepKind;
  readonly tenantId: string | null;
  readonly name: string;
  /** The version after it; null where there is none. */
  readonly version: number | null;
  readonly changes: readonly Change[];
}

/** `prune`: delete what the file's tenants have and the file has not; every tenant's types only if the file has some of them or no tenant. */
export function typeSteps(
  { wanted, tenants }: Pick<TypesFile, "wanted" | "tenants">,
  stored: readonly EventType[],
  prune: boolean,
): TypeStep[] {
  const left = new Map(stored.map((type) => [keyOf(type), type]));
  const steps = wanted.map((type): TypeStep => {
    const before = left.get(keyOf(type)) ?? null;
    left.delete(keyOf(type));
    const changes = changesOf(before, type);
    const kind =
      before === null
        ? "create"
        : changes.length === 0
          ? "unchanged"
          : "change";
    return { kind, wanted: type, stored: before, changes };
  });
  if (prune)
    for (const type of left.values())
      if (tenants.has(type.tenantId))
        steps.push({ kind: "delete", wanted: type, stored: type, changes: [] });
  return steps;
}

const SETTINGS = ["description", "schema", "example"] as const;

function changesOf(before: EventType | null, after: WantedType): Change[] {
  return SETTINGS.filter(
    (field) =>
      !isDeepStrictEqual(before?.[field] ?? EMPTY[field], after[field]),
  ).map((field) => ({
    field,
    from: before?.[field] ?? null,
    to: after[field],
  }));
}

const EMPTY = { description: "", schema: null, example: null } as const;

function keyOf({
  tenantId,
  name,
}: Pick<EventType, "tenantId" | "name">): string {
  return JSON.stringify([tenantId, name]);
}

export function shownStep({
  kind,
  wanted,
  stored,
  changes,
}: TypeStep): ShownStep {
  return {
    kind,
    title: titleOf(wanted),
    stored: stored === null ? "" : `version ${stored.version}`,
    changes,
  };
}

export function titleOf({
  tenantId,
  name,
}: Pick<EventType, "tenantId" | "name">) {
  return `${ownerOf(tenantId)}/${name}`;
}

export function planned({
  kind,
  wanted,
  stored,
  changes,
}: TypeStep): TypeOutcome {
  return {
    action: kind,
    tenantId: wanted.tenantId,
    name: wanted.name,
    version: stored?.version ?? null,
    changes,
    outcome: "planned",
    error: null,
  };
}

export function answered(outcome: TypeOutcome, answer: unknown): TypeOutcome {
  const type = answer as EventType | null; // this is what control's API answers
  return { ...outcome, version: type?.version ?? null };
}

export function requestOf({
  kind,
  wanted,
  stored,
  changes,
}: TypeStep): ApiRequest | null {
  const { name, tenantId } = wanted;
  const path = typePath(name, tenantId);
  const headers = matching(stored?.version);
  const body = Object.fromEntries(changes.map(({ field, to }) => [field, to]));
  switch (kind) {
    case "unchanged":
      return null;
    case "create":
      return {
        method: "POST",
        path: "/v1/event-types",
        body: JSON.stringify({ name, tenantId, ...body }),
      };
    case "change":
      return { method: "PATCH", path, headers, body: JSON.stringify(body) };
    case "delete":
      return { method: "DELETE", path, headers };
  }
}
