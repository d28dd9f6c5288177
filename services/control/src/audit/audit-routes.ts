import { READ, type Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import type { Reader } from "../reads/reader.ts";
import { auditPage, parseAuditQuery } from "./audit-list.ts";

/** `GET /v1/audit`: who changed what, newest first, about a second behind the change. A key with a tenant sees that tenant's alone. */
export function auditRoutes(
  reader: Pick<Reader, "audit">,
  clock: Clock,
): Routes {
  return (app) => {
    app.get("/v1/audit", READ, async ({ query, caller: { tenantId } }) => {
      const now = clock.now();
      const asked = parseAuditQuery(query, { now, tenantId });
      return auditPage(await reader.audit(asked), asked.limit);
    });
  };
}
