import type { GroupsAnswer } from "../api/answers-letters.ts";
import { timeOf } from "../shown/query-rows.ts";

/** Dead letters of the same endpoint, reason and last status code. */
export interface LetterGroup {
  readonly key: string;
  /** Empty, as the endpoint: records that never became deliveries. */
  readonly tenantId: string;
  readonly endpointId: string;
  readonly reason: string;
  /** Null: the last attempt was answered with no status, or there was none. */
  readonly statusCode: number | null;
  /** What the newest of their last attempts showed. */
  readonly outcome: string | null;
  readonly letters: number;
  /** Not delivered since. */
  readonly open: number;
  /** When they were given up: RFC 3339, as all times. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** When their events came in. */
  readonly firstReceivedAt: string | null;
  readonly lastReceivedAt: string | null;
}

/** Reads the rows by the names of their columns. */
export function groupsOf(answer: GroupsAnswer): readonly LetterGroup[] {
  const at = new Map(answer.columns.map(({ name }, n) => [name, n]));
  return answer.rows.map((row) => {
    const cell = (name: string) => row[at.get(name) ?? -1] ?? null;
    const text = (name: string) => String(cell(name) ?? "");
    const received = (name: string) =>
      text(name) === "" ? null : timeOf(text(name));
    const statusCode = cell("last_status_code");
    const key = ["tenant_id", "endpoint_id", "reason"].map(text);
    return {
      key: JSON.stringify([...key, statusCode]),
      tenantId: text("tenant_id"),
      endpointId: text("endpoint_id"),
      reason: text("reason"),
      statusCode: statusCode === null ? null : Number(statusCode),
      outcome: text("newest_outcome") || null,
      letters: Number(cell("letters")),
      open: Number(cell("open")),
      firstAt: timeOf(text("first_at")),
      lastAt: timeOf(text("last_at")),
      firstReceivedAt: received("first_received_at"),
      lastReceivedAt: received("last_received_at"),
    };
  });
}

/** Null: a replay can send what of it is open. Otherwise why none can. */
export function whyNotSent(
  group: Pick<LetterGroup, "endpointId" | "reason" | "open">,
): string | null {
  if (group.endpointId === "")
    return "These records never became deliveries: publish their events again.";
  if (group.reason === "paused")
    return "They are parked: a resume of their endpoint sends them.";
  return group.open === 0 ? "All of them have been delivered since." : null;
}
