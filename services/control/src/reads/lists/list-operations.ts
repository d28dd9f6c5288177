/** What the lists take and answer. */
import { described, READ } from "@postrider/http";
import { z } from "zod";
import { QUERY_KINDS } from "../../http/problem.ts";
import { listOf, nextCursor } from "../../http/shown.ts";
import { attemptQuery, ATTEMPTS } from "./attempt-list.ts";
import { AUDIT, auditQuery } from "./audit-list.ts";
import { deadLetterQuery, DEAD_LETTERS } from "./dead-letter-list.ts";
import { deliveryQuery, DELIVERIES } from "./delivery-list.ts";
import { shownSchema, type List } from "./list.ts";

const DESCRIPTION =
  "A page may have fewer rows than `limit`, or none, and still a `nextCursor`: then nothing was found in the time that was looked at.";

function listing(
  list: List,
  of: {
    readonly id: string;
    readonly tag: string;
    readonly summary: string;
    readonly query: z.ZodObject;
    readonly row: string;
  },
) {
  const { id, tag, summary, query } = of;
  const row = shownSchema(list.shown).meta({ id: of.row });
  return described(READ, {
    id,
    tag,
    summary,
    description: DESCRIPTION,
    query,
    answers: {
      200: {
        description: "A page, newest first",
        body: z
          .strictObject({ [list.name]: listOf(row), nextCursor })
          .meta({ id: `${of.row}Page` }),
      },
    },
    problems: QUERY_KINDS,
  });
}

export const LIST_OPERATIONS = {
  deliveries: listing(DELIVERIES, {
    id: "listDeliveries",
    tag: "deliveries",
    summary: "Deliveries as they stand",
    query: deliveryQuery,
    row: "Delivery",
  }),
  attempts: listing(ATTEMPTS, {
    id: "listAttempts",
    tag: "deliveries",
    summary: "Requests that were made",
    query: attemptQuery,
    row: "Attempt",
  }),
  deadLetters: listing(DEAD_LETTERS, {
    id: "listDeadLetters",
    tag: "deliveries",
    summary: "What was given up or parked",
    query: deadLetterQuery,
    row: "DeadLetter",
  }),
  audit: listing(AUDIT, {
    id: "listAudit",
    tag: "audit",
    summary: "Who changed what, and why",
    query: auditQuery,
    row: "AuditEntry",
  }),
};
