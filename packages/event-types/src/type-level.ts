/** How far a tenant's events are held to the catalogue: not at all, by their type, or by their type and its schema. */
export const TYPE_LEVELS = ["off", "known", "schema"] as const;

export type TypeLevel = (typeof TYPE_LEVELS)[number];

/** Whether a rule that refused an event is one of the catalogue: another catalogue could accept it. */
export function isTypeRule(rule: string): boolean {
  return rule === "known_type" || rule.startsWith("schema.");
}
