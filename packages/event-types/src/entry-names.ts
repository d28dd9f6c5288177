/** Keys of the records in the topic `control` that hold event types and policies. */

export const TYPE_START = "type:";
export const POLICY_START = "type-policy:";

/** Null: the type is every tenant's. A tenant's id and a type's name hold no colon, so no two types have one key. */
export function typeEntry(tenantId: string | null, name: string): string {
  return `${TYPE_START}${tenantId ?? ""}:${name}`;
}

export function policyEntry(tenantId: string): string {
  return POLICY_START + tenantId;
}
