/** What is said against a read or a write of an event type. */
import type { EventType } from "@postrider/core";
import { ControlProblem } from "../http/problem.ts";
import type { TypeName } from "./type-store.ts";

export function taken({ name, tenantId }: EventType): ControlProblem {
  const message = `is an event type of ${ownerOf(tenantId)} already`;
  return new ControlProblem("conflict", `${name} ${message}.`, {
    errors: [{ field: "name", rule: "unique", message }],
  });
}

export function tooMuch(most: number, whose: string): ControlProblem {
  return new ControlProblem(
    "conflict",
    `The event types of ${whose} would take more than ${most} bytes. Delete those that are not needed: postrider event-types list, then postrider event-types delete NAME.`,
    {
      errors: [
        { field: "eventTypes", rule: "max_bytes", message: `at most ${most}` },
      ],
    },
  );
}

/** So many tenants are named. */
const MOST_NAMED = 20;

/** Tenants are named only to who asks for every tenant's type: a key with a tenant asks for its own. */
export function unknownType(
  { name, tenantId }: TypeName,
  all: readonly EventType[],
): ControlProblem {
  const owners = all
    .filter((type) => type.name === name)
    .map((type) => type.tenantId);
  const isCommon = tenantId !== null && owners.includes(null);
  const more = isCommon ? " There is one of every tenant." : "";
  const others = tenantId === null ? owners.filter((id) => id !== null) : [];
  const named = others.toSorted().slice(0, MOST_NAMED).join(", ");
  const hint = {
    field: "tenantId",
    rule: "other_tenant",
    message: `${named} ${others.length === 1 ? "has" : "have"} one of this name`,
  };
  return new ControlProblem(
    "not_found",
    `There is no event type ${name} of ${ownerOf(tenantId)}.${more}`,
    {
      errors: [
        { field: "name", rule: "exists", message: "is not such a type" },
        ...(others.length > 0 ? [hint] : []),
      ],
    },
  );
}

export function staleVersion(type: EventType, wanted: number): ControlProblem {
  return new ControlProblem(
    "stale_version",
    `Version ${wanted} was expected; the event type is at ${type.version}.`,
    {
      errors: [
        {
          field: "if-match",
          rule: "current",
          message: `must be "${type.version}"`,
        },
      ],
      headers: { etag: `"${type.version}"` },
    },
  );
}

export function ownerOf(tenantId: string | null): string {
  return tenantId === null ? "every tenant" : `the tenant ${tenantId}`;
}
