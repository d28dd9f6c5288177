import type { Steps } from "./steps.ts";

/** Whether two items are equal as JSON Schema has it: numbers by value, objects whatever the order of their fields. */
export function hasTwins(items: readonly unknown[], steps: Steps): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const text = sorted(item, steps);
    if (seen.has(text)) return true;
    seen.add(text);
  }
  return false;
}

/** The item as JSON, the fields of objects in order. Each level copies the text of those below. */
function sorted(item: unknown, steps: Steps): string {
  const text = sortedOf(item, steps);
  steps.take(1 + text.length / 16);
  return text;
}

function sortedOf(item: unknown, steps: Steps): string {
  if (typeof item !== "object" || item === null) return JSON.stringify(item);
  if (Array.isArray(item))
    return `[${item.map((inner) => sorted(inner, steps)).join(",")}]`;
  const fields = Object.entries(item)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${sorted(inner, steps)}`);
  return `{${fields.join(",")}}`;
}
