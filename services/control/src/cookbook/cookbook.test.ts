import { expect, test } from "@jest/globals";
import { TENANT_TABLES } from "@postrider/runtime";
import { judgeQuery } from "../reads/query-guard.ts";
import { SAVED_QUERIES } from "./cookbook.ts";
import { readParameters } from "./read-parameters.ts";

const NOW = Date.UTC(2026, 10, 28, 12);

test("every saved query has a name of its own, and there are enough", () => {
  const names = SAVED_QUERIES.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(24);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

test.each(SAVED_QUERIES)(
  "$name is a question with a sentence, and SQL that an operator may send, too",
  ({ title, description, sql }) => {
    expect(title).toMatch(/^[A-Z].*\?$/);
    expect(description).toMatch(/^[A-Z].*\.$/s);
    expect(judgeQuery(sql)).toEqual({ isAllowed: true, sql });
  },
);

/** Control gives a tenant's key its tenant by this parameter, and its user of ClickHouse reads these tables. */
test.each(SAVED_QUERIES)(
  "$name can be asked for one tenant, of tables that tenants may read",
  ({ sql, parameters }) => {
    const read = [...sql.matchAll(/FROM ([a-z]\w+)/g)].map(([, name]) => name);
    const named = [...sql.matchAll(/(\w+) AS \(/g)].map(([, name]) => name);

    expect(parameters["tenant"]?.type).toBe("String");
    for (const table of read.filter((name) => !named.includes(name)))
      expect([...TENANT_TABLES, "numbers"]).toContain(table);
  },
);

test.each(SAVED_QUERIES)(
  "$name uses the parameters that it declares, with their types, and no others",
  ({ sql, parameters }) => {
    const used = [...sql.matchAll(/\{(\w+):([^}]+)\}/g)].map(
      ([, name, type]) => `${name}: ${type}`,
    );

    expect([...new Set(used)].toSorted()).toEqual(
      Object.entries(parameters)
        .map(([name, { type }]) => `${name}: ${type}`)
        .toSorted(),
    );
  },
);

test.each(SAVED_QUERIES)(
  "the defaults of $name are themselves valid",
  (query) => {
    const required = Object.entries(query.parameters)
      .filter(([, parameter]) => parameter.default === null)
      .map(([name]) => [name, "x"]);

    const read = readParameters(query, Object.fromEntries(required), NOW);

    expect(read.kind).toBe("read");
  },
);

test.each(SAVED_QUERIES)(
  "$name bounds the time that each table is partitioned by, and the tenant",
  ({ sql }) => {
    const reads = sql.match(
      /\bFROM (attempts|events|deliveries|dead_letters|endpoint_hour|tenant_minute|audit)\b/g,
    );
    const from = sql.match(
      /\b(started_at|received_at|dead_at|bucket|at) >= (subtractMilliseconds\()?\{since:DateTime64\(3\)\}(?! AS is_now)/g,
    );
    const until = sql.match(
      /\b(started_at|received_at|dead_at|bucket|at) < \{until:DateTime64\(3\)\}/g,
    );

    // Deliveries that became dead letters of the window may have come in before it: from the first of them on.
    const ofLetters = sql.match(/FROM deliveries\s+WHERE received_at >= \(/g);
    expect(from?.length).toBe((reads?.length ?? 0) - (ofLetters?.length ?? 0));
    // What a delivery waits for is what its last attempt said, also one after `until`.
    const isAsOfNow = sql.includes("AS last_step");
    expect(until?.length).toBe(isAsOfNow ? 1 : reads?.length);
    expect(sql.match(/tenant_id = \{tenant:String\}/g)?.length).toBe(
      reads?.length,
    );
  },
);

test.each(SAVED_QUERIES)(
  "$name has no window frame that is aggregated again for each row",
  ({ sql }) => {
    expect(sql).not.toContain("UNBOUNDED FOLLOWING");
  },
);
