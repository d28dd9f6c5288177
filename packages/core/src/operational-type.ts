/** Whether events of this type are Postrider's own: what it tells an operator about itself (docs/operational-events.md). */
export function isOperationalType(type: string): boolean {
  return type.startsWith("postrider.");
}
