/** What is looked up among the endpoints that this process knows. */
import type { Endpoint, Problem } from "@postrider/core";
import { isVisible } from "../http/callers-tenant.ts";
import { ControlProblem } from "../http/problem.ts";

/** This process's copy of the `endpoints` topic. */
export interface EndpointTable {
  get(id: string): Endpoint | undefined;
  entries(): Iterable<readonly [string, Endpoint]>;
}

/** Throws the problem `not_found` for an endpoint that does not exist, or that a caller with this tenant may not see. */
export function visibleEndpoint(
  table: Pick<EndpointTable, "get">,
  id: string,
  callersTenant: string | null,
): Endpoint {
  const endpoint = table.get(id);
  if (endpoint === undefined || !isVisible(endpoint, callersTenant))
    throw unknownEndpoint(id);
  return endpoint;
}

/** The endpoint of the tenant that has this externalId; `except` does not count. */
export function holderOf(
  table: Pick<EndpointTable, "entries">,
  of: {
    readonly tenantId: string;
    readonly externalId: string | null;
    readonly except?: string | undefined;
  },
): string | undefined {
  if (of.externalId === null) return undefined;
  for (const [id, { tenantId, externalId }] of table.entries()) {
    const isOne = tenantId === of.tenantId && externalId === of.externalId;
    if (isOne && id !== of.except) return id;
  }
  return undefined;
}

/** Throws the problem `conflict`. */
export function refuseTakenExternalId(
  table: EndpointTable,
  tenantId: string,
  externalId: string | null,
): void {
  const id = holderOf(table, { tenantId, externalId });
  if (id !== undefined)
    throw new ControlProblem(
      "conflict",
      `Endpoint ${id} has this externalId.`,
      {
        errors: [takenBy(id)],
      },
    );
}

export function takenBy(id: string): Problem {
  return {
    field: "externalId",
    rule: "unique",
    message: `is the externalId of ${id}`,
  };
}

function unknownEndpoint(id: string): ControlProblem {
  return new ControlProblem("not_found", `There is no endpoint ${id}.`, {
    errors: [{ field: "id", rule: "exists", message: "is not an endpoint" }],
  });
}
