import {
  asked,
  during,
  ENDPOINT,
  OF_TENANT,
  type SavedQuery,
} from "./saved-query.ts";

/** What people did, and what Postrider did by itself. */
export const AUDIT: readonly SavedQuery[] = [
  {
    name: "audit-trail",
    title: "Who changed what, and why?",
    description:
      "Changes of endpoints, keys and replays, the newest first: `actor` is the key that asked, `admin` for `POSTRIDER_ADMIN_KEY`, `postrider` for what nobody asked for, such as a 410 that disabled an endpoint. `detail` has each changed field as JSON.",
    parameters: { ...asked("7d"), endpoint: ENDPOINT },
    sql: `SELECT at, tenant_id, actor, subject, subject_id, action, why, detail
FROM audit FINAL
WHERE ${during("at")}
  AND ${OF_TENANT}
  AND ({endpoint:String} = '' OR subject_id = {endpoint:String})
ORDER BY at DESC, log_partition DESC, log_offset DESC
LIMIT {limit:UInt32}`,
  },
];
