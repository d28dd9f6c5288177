import { z } from "zod";
import { AUDIT_ACTIONS, type AuditFact } from "../../audit/audit-trail.ts";
import {
  exact,
  PAGED,
  someOf,
  type Window,
} from "../../http/list-parameters.ts";
import {
  asIs,
  isOneOf,
  isText,
  textOrNull,
  time,
  type Condition,
  type List,
} from "./list.ts";

/** Who changed what, and why. `detail` has each field that changed. */
export const AUDIT = {
  name: "entries",
  table: "audit",
  time: "at",
  orderedBy: [
    { column: "subject_id", type: "String" },
    { column: "log_partition", type: "Int64" },
    { column: "log_offset", type: "Int64" },
  ],
  key: ["tenant_id", "at", "subject_id", "log_partition", "log_offset"],
  shown: {
    at: time("at"),
    actor: asIs(
      "actor",
      z.string().meta({
        description:
          "Id of the key that asked for it; `postrider` where none did",
      }),
    ),
    tenantId: textOrNull("tenant_id"),
    subject: asIs("subject"),
    subjectId: asIs("subject_id"),
    action: asIs("action"),
    why: asIs("why"),
    detail: {
      sql: "r.detail",
      of: parsedOr,
      schema: z.unknown().meta({ description: "What changed, by field" }),
    },
    requestId: asIs("request_id"),
  },
} as const satisfies List;

const SUBJECTS = [
  "endpoint",
  "key",
  "replay",
  "event_type",
  "type_policy",
] as const satisfies AuditFact["subject"][];

export const auditQuery = z.strictObject({
  ...PAGED,
  subject: someOf(SUBJECTS).optional(),
  subjectId: exact.optional(),
  actor: exact.optional(),
  action: someOf(AUDIT_ACTIONS).optional(),
});

type AuditAsked = Omit<z.output<typeof auditQuery>, keyof Window>;

export function auditConditions(asked: AuditAsked): readonly Condition[] {
  return [
    ...isText("tenant_id", "tenantId", asked.tenantId),
    ...isOneOf("subject", "subject", asked.subject),
    ...isText("subject_id", "subjectId", asked.subjectId),
    ...isText("actor", "actor", asked.actor),
    ...isOneOf("action", "action", asked.action),
  ];
}

/** Whoever may write to the topic may have written something else than JSON: one such record must not hide the others. */
function parsedOr(detail: unknown): unknown {
  try {
    return JSON.parse(String(detail));
  } catch {
    return detail;
  }
}
