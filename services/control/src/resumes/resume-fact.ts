import type { Resume } from "@postrider/core";
import type { AuditFact } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";

/** A person has stopped a resume, or let it go on. The other changes of a resume follow from changes of its endpoint. */
export function resumeFact(
  action: "resume_cancelled" | "resume_restarted",
  { before, after }: { readonly before: Resume; readonly after: Resume },
  cause: Cause,
): AuditFact {
  return {
    ...cause,
    tenantId: after.tenantId,
    subject: "endpoint",
    subjectId: after.endpointId,
    action,
    detail: {
      resume: { from: before.id, to: after.id },
      state: { from: before.state, to: after.state },
      sent: before.sent,
    },
  };
}
