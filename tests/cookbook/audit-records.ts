/** What was done to the endpoints of the data set, on each of its days. */
import type { AuditEntry } from "@postrider/core";
import { anAuditEntry } from "@postrider/testkit";
import type { Answer } from "./answers.ts";
import { time } from "./figures.ts";
import { ENDPOINTS, HOUR } from "./receivers.ts";

/** In the order in which they happened. */
export function auditRecords(from: number): readonly AuditEntry[] {
  const made = ENDPOINTS.flatMap(
    ({ id, tenantId, goneAt }, n): AuditEntry[] => {
      const of = { subjectId: id, tenantId };
      return [
        anAuditEntry({
          ...of,
          at: from + n * 60_000,
          action: "created",
          why: "",
          detail: `{"eventTypes":{"to":["*"]},"version":{"to":1}}`,
        }),
        anAuditEntry({
          ...of,
          at: from + 25 * HOUR + n * 60_000,
          actor: n % 2 === 0 ? "admin" : "key_billing",
          action: "changed",
          why: `ticket ${n + 1}`,
          detail: `{"timeoutMs":{"from":15000,"to":5000},"version":{"from":1,"to":2}}`,
        }),
        ...(goneAt === undefined
          ? []
          : [
              anAuditEntry({
                ...of,
                at: from + goneAt + 1,
                actor: "postrider",
                action: "disabled",
                why: "gone: the endpoint answered 410 Gone",
                detail: `{"state":{"from":"enabled","to":"disabled"},"version":{"from":2,"to":3}}`,
                requestId: "",
              }),
            ]),
      ];
    },
  );
  return made.toSorted((a, b) => a.at - b.at);
}

export const AUDIT_ANSWERS: Readonly<Record<string, Answer>> = {
  "audit-trail": ({ audit }) =>
    audit
      .toReversed()
      .map(({ at, tenantId, actor, subject, subjectId, ...entry }) => [
        time(at),
        tenantId,
        actor,
        subject,
        subjectId,
        entry.action,
        entry.why,
        entry.detail,
      ]),
};
