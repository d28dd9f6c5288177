import { table, type Terminal } from "./terminal.ts";

/** The fields of control's answer that are printed for people. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

interface AuditEntry {
  readonly at: string;
  readonly actor: string;
  readonly tenantId: string | null;
  readonly subject: string;
  readonly subjectId: string;
  readonly action: string;
  readonly why: string;
  readonly detail: unknown;
}

export function auditTable(page: AuditPage, terminal: Terminal): string {
  if (page.entries.length === 0) return "0 changes";
  return table(
    ["AT", "ACTOR", "TENANT", "SUBJECT", "ID", "ACTION", "WHY", "WHAT"],
    page.entries.map((entry) => [
      entry.at,
      entry.actor,
      entry.tenantId ?? "-",
      entry.subject,
      entry.subjectId,
      entry.action,
      entry.why || "-",
      whatChanged(entry.detail),
    ]),
    terminal,
  );
}

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
