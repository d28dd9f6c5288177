import {
  asked,
  DEAD_LETTERS,
  during,
  ENDPOINT,
  OF_ENDPOINT,
  OF_TENANT,
  REASON,
  type SavedQuery,
} from "./saved-query.ts";

/**
 * Of `deliveries` only those are read that the window's dead letters may be about. Without FINAL: no version of a delivery wins over the
 * one that says that it was delivered.
 */
export const DEAD_LETTER_GROUPS: SavedQuery = {
  name: "dead-letter-groups",
  title: "Which dead letters can be sent again together?",
  description:
    "Dead letters by endpoint, reason and last status code, and how many of them are open: not delivered since, by a redrive or a resume. What a replay of each group has to select.",
  parameters: {
    ...asked("7d", { limit: 100 }),
    endpoint: ENDPOINT,
    reason: REASON,
  },
  sql: `SELECT tenant_id, endpoint_id, reason, last_status_code, count() AS letters,
  countIf((tenant_id, event_id, endpoint_id, ifNull(received_at, {since:DateTime64(3)})) NOT IN (
SELECT tenant_id, event_id, endpoint_id, received_at
FROM deliveries
WHERE received_at >= (
SELECT min(received_at)
FROM dead_letters
WHERE ${during("dead_at")}
  AND ${OF_TENANT}
  AND ${OF_ENDPOINT}
)
  AND received_at < {until:DateTime64(3)}
  AND ${OF_TENANT}
  AND ${OF_ENDPOINT}
  AND status = 'delivered'
  AND event_id IN (
SELECT event_id
FROM dead_letters
WHERE ${during("dead_at")}
  AND ${OF_TENANT}
  AND ${OF_ENDPOINT}
)
)) AS open,
  min(dead_at) AS first_at, max(dead_at) AS last_at,
  min(received_at) AS first_received_at, max(received_at) AS last_received_at, argMax(last_outcome, dead_at) AS newest_outcome
${DEAD_LETTERS}
  AND ${OF_ENDPOINT}
  AND ({reason:String} = '' OR reason = {reason:String})
GROUP BY tenant_id, endpoint_id, reason, last_status_code
ORDER BY open DESC, letters DESC, tenant_id, endpoint_id, reason, last_status_code
LIMIT {limit:UInt32}`,
};
