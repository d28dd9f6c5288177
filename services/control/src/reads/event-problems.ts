/** What is answered where an event's id does not lead to one event. */
import type { Problem } from "@postrider/core";
import { ControlProblem } from "../http/problem.ts";

/** Event ids are unique only within a tenant. A row without a tenant (an invalid record that used the id) does not make an id ambiguous. */
export function ofOneTenant<Row extends { readonly tenant_id: string }>(
  rows: readonly Row[],
): readonly Row[] {
  const byTenant = Map.groupBy(rows, (row) => row.tenant_id);
  if (byTenant.size > 1) byTenant.delete("");
  if (byTenant.size > 1) throw ambiguous([...byTenant.keys()]);
  return byTenant.values().next().value ?? [];
}

/** So many tenants are named. */
const MOST_NAMED = 20;

/** Only who may see every tenant gets here: a tenant's key asks for its own. */
function ambiguous(tenants: readonly string[]): ControlProblem {
  const named = tenants.toSorted().slice(0, MOST_NAMED).join(", ");
  return new ControlProblem(
    "ambiguous_event",
    `${tenants.length} tenants have an event of this id: say which with ?tenantId=.`,
    {
      errors: [
        {
          field: "tenantId",
          rule: "required",
          message: `is required: the id is used by the tenants ${named}`,
        },
      ],
    },
  );
}

/** `hints`: where else to look. */
export function unknownEvent(
  eventId: string,
  hints: readonly Problem[] = [],
): ControlProblem {
  return new ControlProblem(
    "not_found",
    `No event ${JSON.stringify(eventId)} is recorded. What was just published takes a moment.`,
    {
      errors: [
        { field: "id", rule: "exists", message: "is not recorded" },
        ...hints,
      ],
    },
  );
}
