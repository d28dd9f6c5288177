/** The right answer to each saved query, calculated from the data set's own records. */
import type { Attempt, AuditEntry, DeadLetter, Intake } from "@postrider/core";
import { AUDIT_ANSWERS } from "./audit-records.ts";
import { ATTEMPT_ANSWERS } from "./attempt-answers.ts";
import { DELIVERY_ANSWERS } from "./delivery-answers.ts";
import type { DataSet, Standing } from "./data-set.ts";
import type { Rows } from "./figures.ts";
import { INTAKE_ANSWERS } from "./intake-answers.ts";
import { SERVICE_LEVEL_ANSWERS } from "./service-level-answers.ts";

/** What was asked: the parameters, with their defaults. */
export interface Scope {
  readonly since: number;
  readonly until: number;
  readonly tenant: string;
  readonly endpoint: string;
  readonly reason: string;
  readonly limit: number;
  readonly min_attempts: number;
  readonly target: number;
  readonly within_ms: number;
  readonly attempts: number;
  readonly min_bad: number;
}

/** What a query may read: the records of the window and of the tenant and endpoint, where these are asked for. */
export interface Seen {
  readonly scope: Scope;
  /** Without deferrals. */
  readonly attempts: readonly Attempt[];
  /** The attempts of the window of the same length before. */
  readonly before: readonly Attempt[];
  readonly deferrals: readonly Attempt[];
  readonly deadLetters: readonly DeadLetter[];
  readonly intakes: readonly Intake[];
  readonly deliveries: readonly Standing[];
  readonly audit: readonly AuditEntry[];
}

export type Answer = (seen: Seen) => Rows;

export const ANSWERS: Readonly<Record<string, Answer>> = {
  ...ATTEMPT_ANSWERS,
  ...DELIVERY_ANSWERS,
  ...INTAKE_ANSWERS,
  ...AUDIT_ANSWERS,
  ...SERVICE_LEVEL_ANSWERS,
};

/** What of the data set is in scope. */
export function seenBy(data: DataSet, scope: Scope): Seen {
  const { since, until, tenant, endpoint } = scope;
  const isOurs = (each: {
    readonly tenantId: string | null;
    readonly endpointId?: string | null;
  }): boolean =>
    (tenant === "" || each.tenantId === tenant) &&
    (endpoint === "" || each.endpointId === endpoint);
  const isIn = (at: number, from = since, to = until): boolean =>
    at >= from && at < to;
  const attempts = data.attempts.filter(isOurs);
  return {
    scope,
    attempts: attempts.filter(
      (each) => each.attemptNumber > 0 && isIn(each.startedAt),
    ),
    before: attempts.filter(
      (each) =>
        each.attemptNumber > 0 &&
        isIn(each.startedAt, since - (until - since), since),
    ),
    deferrals: attempts.filter(
      (each) => each.attemptNumber === 0 && isIn(each.startedAt),
    ),
    deadLetters: data.deadLetters.filter(
      (each) => isOurs(each) && isIn(each.deadAt),
    ),
    intakes: data.intakes.filter(
      (each) =>
        (tenant === "" || each.tenantId === tenant) && isIn(each.receivedAt),
    ),
    deliveries: data.deliveries.filter(
      (each) => isOurs(each) && isIn(each.receivedAt),
    ),
    audit: data.audit.filter(
      ({ tenantId, subjectId: endpointId, at }) =>
        isOurs({ tenantId, endpointId }) && isIn(at),
    ),
  };
}
