/** More is in `--json`. */
const LONGEST = 160;

/** `timeoutMs 15000 → 5000, state → paused`. Versions are left out: each change has one. */
export function whatChanged(detail: unknown): string {
  if (typeof detail !== "object" || detail === null) return valueOf(detail);
  const text = Object.entries(detail)
    .filter(([name]) => name !== "version")
    .map(([name, change]) => `${name} ${changeOf(change)}`)
    .join(", ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function changeOf(change: unknown): string {
  if (typeof change !== "object" || change === null) return valueOf(change);
  const { from, to } = change as { from?: unknown; to?: unknown };
  if (from === undefined && to === undefined) return valueOf(change);
  return [valueOf(from), "→", valueOf(to)].filter(Boolean).join(" ");
}

function valueOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
