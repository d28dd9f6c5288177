/** Where else an event may be of which nothing is recorded under its id. Pure. */
import { isTenantId, type EpochMs, type Problem } from "@postrider/core";
import { rfc3339 } from "../../http/rfc3339.ts";
import type { LetterRow } from "./explain-sql.ts";

export interface SearchFacts {
  /** Tenants that have an event of this id, other than the one that was asked for. Of a tenant's key always none. */
  readonly otherTenants: readonly string[];
  /** What the id means if it is a record's key, where that event is recorded. */
  readonly ofKey: RecordKey | null;
  /** A dead letter that names the event. */
  readonly letter: LetterRow | undefined;
  /** When the newest event that is recorded came in; 0: none of the last day is. */
  readonly newest: EpochMs;
  /** Records of the last day that could not be read; null for a tenant's key, which cannot see them. */
  readonly unreadable: number | null;
}

export interface RecordKey {
  readonly tenantId: string;
  readonly eventId: string;
}

/** The door's key of an event's record is `tenantId:eventId`, and people copy it. A tenant's id has no colon. */
export function recordKeyOf(text: string): RecordKey | null {
  const colon = text.indexOf(":");
  const tenantId = text.slice(0, Math.max(colon, 0));
  const eventId = text.slice(colon + 1);
  return isTenantId(tenantId) && eventId !== "" ? { tenantId, eventId } : null;
}

/** What was found comes first. */
export function whereToLook(facts: SearchFacts): readonly Problem[] {
  const { otherTenants, ofKey, letter, newest, unreadable } = facts;
  const hints: Problem[] = otherTenants.map((tenantId) => ({
    field: "tenantId",
    rule: "other_tenant",
    message: `tenant ${tenantId} has an event of this id`,
  }));
  if (ofKey !== null)
    hints.push({
      field: "id",
      rule: "record_key",
      message: `is the key of a record: the event is ${JSON.stringify(ofKey.eventId)} of tenant ${ofKey.tenantId}`,
    });
  if (letter !== undefined)
    hints.push({
      field: "id",
      rule: "dead_letter",
      message: `is in a dead letter, ${letter.reason}: ${letter.detail} (${letter.log_topic}/${letter.log_partition}@${letter.log_offset})`,
    });
  hints.push({
    field: "id",
    rule: "not_recorded_yet",
    message:
      newest > 0
        ? `may not have come in, or is not recorded yet: the newest event that is recorded came in at ${rfc3339(newest)}`
        : "may not have come in, or is not recorded yet: no event of the last day is recorded",
  });
  if (unreadable !== null && unreadable > 0)
    hints.push({
      field: "id",
      rule: "unreadable",
      message: `may be in a record that nobody could read: there were ${unreadable} in the last day, in the dead letters unreadable`,
    });
  hints.push({
    field: "id",
    rule: "kept_30_days",
    message: "is gone where it came in more than 30 days ago",
  });
  return hints;
}
