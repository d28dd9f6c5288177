/** How many subschemas the event types of one owner may have together: a tenant's own, or those of every tenant. */
import type { EventType } from "@postrider/core";
import {
  MAX_SUBSCHEMAS_OF_OWNER,
  subschemasOf,
  typeEntry,
} from "@postrider/event-types";
import { ControlProblem } from "../http/problem.ts";
import { ownerOf } from "./type-problems.ts";

/** Counts are kept of so many types: to read all schemas of a tenant at each write would take tenths of a second. */
const MOST_KEPT = 20_000;

/**
 * Throws the problem `conflict` where all types of the owner have too many. The first is the one that is written, `before` what it was:
 * an owner that has too many since there was no limit may change a type that gets no more by it.
 */
export function subschemaLimit(
  most = MAX_SUBSCHEMAS_OF_OWNER,
): (types: readonly EventType[], before: EventType | undefined) => void {
  const kept = new Map<string, { readonly text: string; readonly n: number }>();

  function count({ tenantId, name, schema }: EventType): number {
    if (schema === null) return 0;
    const entry = typeEntry(tenantId, name);
    const known = kept.get(entry);
    if (known?.text === schema) return known.n;
    if (kept.size >= MOST_KEPT) kept.clear();
    const n = subschemasOf(schema);
    kept.set(entry, { text: schema, n });
    return n;
  }

  return (types, before) => {
    const [written] = types;
    // Without a schema of its own it adds nothing.
    if (written === undefined || written.schema === null) return;
    const had = before === undefined ? 0 : count(before);
    const all = types.reduce((sum, type) => sum + count(type), 0);
    const own = count(written);
    if (all <= most || own <= had) return;
    throw new ControlProblem(
      "conflict",
      `The schemas of the event types of ${ownerOf(written.tenantId)} would have ${all} subschemas; at most ${most} are taken. This one has ${own}: make schemas say less, or delete types that are not needed: postrider event-types list, then postrider event-types delete NAME.`,
      {
        errors: [
          {
            field: "schema",
            rule: "max_subschemas_of_tenant",
            message: `at most ${most} of all types together`,
          },
        ],
      },
    );
  };
}
