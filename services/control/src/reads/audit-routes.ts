import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import {
  auditPage,
  parseAuditQuery,
  type AuditQuery,
  type AuditRow,
} from "./audit-list.ts";
import { READ_OPERATIONS } from "./read-operations.ts";
import type { Reader, Reading } from "./reader.ts";
import { ownTenant, readingOf } from "./whose-rows.ts";

/** `GET /v1/audit`: who changed what, newest first, about a second behind the change. A key with a tenant sees that tenant's alone. */
export function auditRoutes(reader: Reader, clock: Clock): Routes {
  return (app) => {
    app.get("/v1/audit", READ_OPERATIONS.audit, async (request) => {
      const asked = parseAuditQuery(ownTenant(request), clock.now());
      const rows = await rowsOf(readingOf(reader, request.caller), asked);
      return auditPage(rows, asked.limit);
    });
  };
}

/** Newest first: one more than `limit` where there are more. */
export async function rowsOf(
  reading: Pick<Reading, "select">,
  { before, limit, ...asked }: AuditQuery,
): Promise<AuditRow[]> {
  return await reading.select<AuditRow>(AUDIT_SQL, {
    ...asked,
    limit: limit + 1,
    beforeAt: before.at,
    beforePartition: before.partition,
    beforeOffset: before.offset,
  });
}

/**
 * Keyset paging: the place of the last row shown is where the next page begins, whatever was written since. `at <=` says less than the
 * place does, and lets ClickHouse leave out newer days.
 */
const AUDIT_SQL = `
SELECT toUnixTimestamp64Milli(at) AS at_ms, actor, tenant_id, subject, subject_id, action, why, detail, request_id, log_partition, log_offset
FROM audit FINAL
WHERE at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({until:Int64})
  AND ({tenant:String} = '' OR tenant_id = {tenant:String})
  AND ({subject:String} = '' OR subject = {subject:String})
  AND ({subjectId:String} = '' OR subject_id = {subjectId:String})
  AND ({actor:String} = '' OR actor = {actor:String})
  AND ({action:String} = '' OR action = {action:String})
  AND at <= fromUnixTimestamp64Milli({beforeAt:Int64})
  AND (at, log_partition, log_offset) < (fromUnixTimestamp64Milli({beforeAt:Int64}), {beforePartition:Int32}, {beforeOffset:Int64})
ORDER BY at DESC, log_partition DESC, log_offset DESC
LIMIT {limit:UInt32}`;
