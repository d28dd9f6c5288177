/**
 * Every label that a metric may have, with its values. Each has a bounded number of them: one series for each endpoint would
 * take down the Prometheus of whoever has many. A metric with another label fails the tests and `npm run check`.
 */
export const LABELS: Readonly<Record<string, string>> = {
  certificate:
    "`client`: ours, with its chain; `authority`: those that were given, of which the last to end counts; `server`: the servers' own and their issuers', of which the first to end counts, while they are connected",
  connection: "`reused` or `fresh`",
  decision: "what route decided: `routed`, `no_match`, `refused` …",
  key: "the id of an encryption key in the ring of this process",
  kind: "how a commit failed",
  method: "of an HTTP request to the API",
  outcome: "what an attempt showed: `delivered`, `timeout` …",
  partition: "a partition's number",
  quantile: "`0.5`, `0.99`, `1`",
  reason: "why, from a closed list",
  result: "what a filter said: `passed`, `filtered` or `failed`",
  route: "the pattern of an API route, such as `/v1/endpoints/:id`",
  sent_by: "what had made the delivery: `route`, `replay`",
  server: "what a certificate is for: `kafka`, `clickhouse`, `registry`",
  stage:
    "the stage of a runner: `route`, `route:TOPIC` of a configured source, `deliver`, `hold`, `gone`; of assignments also `record.intake`, `record.attempts`, `record.dead-letters`, `record.signals`, `record.audit`",
  state: "of a circuit breaker: `open` or `half_open`",
  status: "an HTTP status",
  table: "a table of ClickHouse",
  tier: "a tier's delay, such as `1s`; of an attempt also `none`, and `other` for a tier that is not configured any more",
  to: "where a record goes: `deliveries` or a tier",
  topic: "one of Postrider's topics",
  type: "a kind of resource of Node",
  why: "why connections were closed, from a closed list",
};
