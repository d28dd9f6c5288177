import { expect, test } from "@jest/globals";
import { expandPromql, expandSql, type Asked } from "./expand.ts";

const asked: Asked = {
  from: Date.UTC(2026, 10, 27),
  to: Date.UTC(2026, 10, 27, 1),
  intervalSeconds: 60,
  picked: { tenant: ["acme", "o'neill\\"] },
};

test.each([
  [
    "$__timeFilter(at)",
    "at >= toDateTime(1795737600) AND at <= toDateTime(1795741200)",
  ],
  [
    "greatest($__fromTime, $__toTime)",
    "greatest(toDateTime(1795737600), toDateTime(1795741200))",
  ],
  [
    "$__timeInterval(at) AS time",
    "toStartOfInterval(toDateTime(at), INTERVAL 60 second) AS time",
  ],
  ["$__interval_s + 1", "60 + 1"],
  [
    "$__conditionalAll(t IN (${tenant:singlequote}), $tenant)",
    "t IN ('acme','o\\'neill\\\\')",
  ],
  [
    "$__conditionalAll(e IN (${endpoint:singlequote}), $endpoint) AND 2",
    "1=1 AND 2",
  ],
])("%s becomes what Grafana sends", (sql, sent) => {
  expect(expandSql(sql, asked)).toBe(sent);
});

test.each(["$__unknown", "${tenant}", "$tenant"])(
  "%s is nothing that it knows",
  (sql) => {
    expect(() => expandSql(sql, asked)).toThrow("nothing expands");
  },
);

test("a query over Prometheus gets a pattern and a duration", () => {
  expect(expandPromql('rate(a{job=~"$job"}[$__rate_interval])')).toBe(
    'rate(a{job=~".*"}[1m])',
  );
});
