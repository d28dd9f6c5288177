import type { AskedSelection } from "../api/answers-replays.ts";
import type { LetterGroup } from "./letter-groups.ts";

/**
 * What one replay of these groups selects. By the API's fields, where these select nothing else that is open; otherwise by SQL, which only
 * a key of no tenant may use. Null: one replay of this key cannot.
 */
export function selectionOf(
  chosen: readonly LetterGroup[],
  of: {
    readonly all: readonly LetterGroup[];
    /** There are more than these. */
    readonly isCut: boolean;
    readonly maySql: boolean;
  },
): AskedSelection | null {
  return fieldsOf(chosen, of) ?? (of.maySql ? sqlOf(chosen) : null);
}

function fieldsOf(
  chosen: readonly LetterGroup[],
  {
    all,
    isCut,
  }: { readonly all: readonly LetterGroup[]; readonly isCut: boolean },
): AskedSelection | null {
  const [first] = chosen;
  if (first === undefined) return null;
  const { tenantId, endpointId } = first;
  const isSame = (group: LetterGroup): boolean =>
    group.tenantId === tenantId && group.endpointId === endpointId;
  const reasons = [...new Set(chosen.map(({ reason }) => reason))];
  const codes = new Set(chosen.map(({ statusCode }) => statusCode));
  const statusCode = codes.size === 1 ? first.statusCode : null;
  const selected = all.filter(
    (group) =>
      isSame(group) &&
      group.open > 0 &&
      reasons.includes(group.reason) &&
      (statusCode === null || group.statusCode === statusCode),
  );
  // Without a status code, groups that are not among these would be selected, too.
  const isKnown = statusCode !== null || !isCut;
  return isKnown && chosen.every(isSame) && selected.length === chosen.length
    ? {
        tenantId,
        endpointId,
        reasons,
        ...(statusCode !== null && { statusCode }),
        ...receivedOf(chosen),
      }
    : null;
}

function sqlOf(chosen: readonly LetterGroup[]): AskedSelection {
  const times = chosen.flatMap(({ firstAt, lastAt }) => [firstAt, lastAt]);
  const groups = chosen.map(
    ({ endpointId, reason, statusCode }) =>
      `(${quoted(endpointId)}, ${quoted(reason)}, ${statusCode ?? 0})`,
  );
  return {
    sql: `SELECT delivery_id FROM dead_letters
WHERE dead_at >= ${sqlTime(least(times))} AND dead_at <= ${sqlTime(most(times))}
  AND (endpoint_id, reason, ifNull(last_status_code, 0)) IN (${groups.join(", ")})`,
    ...receivedOf(chosen),
  };
}

/** From the first event to the last. */
function receivedOf(
  chosen: readonly LetterGroup[],
): Pick<AskedSelection, "receivedSince" | "receivedUntil"> {
  const first = chosen.flatMap(({ firstReceivedAt: at }) => at ?? []);
  const last = chosen.flatMap(({ lastReceivedAt: at }) => at ?? []);
  if (first.length === 0) return {};
  const until = new Date(Date.parse(most(last)) + 1);
  return { receivedSince: least(first), receivedUntil: until.toISOString() };
}

/** Times of one form are ordered as their texts are. */
function least(times: readonly string[]): string {
  return times.reduce((a, b) => (a < b ? a : b));
}

function most(times: readonly string[]): string {
  return times.reduce((a, b) => (a > b ? a : b));
}

/** A literal of ClickHouse. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}

function sqlTime(at: string): string {
  return `toDateTime64('${at.replace("T", " ").replace("Z", "")}', 3, 'UTC')`;
}
