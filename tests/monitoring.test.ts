/** Alerts, dashboards and runbook against what the services declare: a name that nothing declares would never fire and never show. */
import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { declaredMetrics } from "../scripts/metrics-of.ts";
import {
  BOARDS,
  CLICKHOUSE,
  CLICKHOUSE_BOARDS,
  PROMETHEUS_BOARDS,
} from "./dashboards/boards.ts";
import { LABEL_VALUES } from "./dashboards/label-values.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const prometheus = join(root, "deploy/prometheus");

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Recorded {
  readonly record: string;
  readonly expr: string;
}

// It is what the file holds: a field that is missing fails a test below.
const file = parse(read(join(prometheus, "alerts.yaml"))) as {
  readonly groups: readonly { readonly rules: readonly (Alert | Recorded)[] }[];
};
const rules = file.groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => "alert" in rule);
const recorded = rules.filter((rule) => "record" in rule);
const metrics = new Map(
  (await declaredMetrics()).map((metric) => [metric.name, metric]),
);

/** What Prometheus, or who runs it, adds to every series. */
const ADDED = ["job", "instance", "pod", "container", "node"];

/** A metric as declared, of a name that may end as a histogram's series do. */
function declared(name: string) {
  return metrics.get(name) ?? metrics.get(name.replace(/_(bucket|count)$/, ""));
}

/** What is wrong with the names of an expression, and with those of a legend beside it. */
function problemsOf(expr: string, legend = ""): string[] {
  const problems: string[] = [];
  const known = new Set([...ADDED, "service"]);
  for (const [, name = "", , selector = ""] of expr.matchAll(
    /\b(postrider_\w+)(\{([^}]*)\})?/g,
  )) {
    const metric = declared(name);
    if (metric === undefined) {
      problems.push(`no service declares ${name}`);
      continue;
    }
    const labels = [...ADDED, "service", ...metric.labels];
    if (name.endsWith("_bucket")) labels.push("le");
    for (const label of labels) known.add(label);
    for (const [, label = "", values = ""] of selector.matchAll(
      /(\w+)\s*(?:=|!=|=~|!~)\s*"([^"]*)"/g,
    )) {
      if (!labels.includes(label))
        problems.push(`${name} has no label ${label}`);
      for (const value of values.split("|"))
        problems.push(...problemsOfValue(label, value, metric.buckets));
    }
  }
  const named = [
    ...[...expr.matchAll(/\b(?:by|without) \(([^)]*)\)/g)].flatMap(
      ([, list = ""]) => list.split(", ").filter((label) => label !== ""),
    ),
    ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label),
  ];
  for (const label of named)
    if (!known.has(label))
      problems.push(`nothing there has the label ${label}`);
  return problems;
}

function problemsOfValue(
  label: string,
  value: string,
  buckets: readonly number[],
): string[] {
  if (label === "le")
    return buckets.includes(Number(value))
      ? []
      : [`no bucket ends at ${value}`];
  const values = LABEL_VALUES[label];
  return values === undefined || values.includes(value)
    ? []
    : [`${label} is never ${value}`];
}

test("the check of names finds what is wrong", () => {
  expect(problemsOf("postrider_lag_record")).toHaveLength(1);
  expect(problemsOf('postrider_lag_records{tier="1s"}')).toHaveLength(1);
  expect(problemsOf("sum by (tier) (postrider_lag_records)")).toHaveLength(1);
  expect(problemsOf("postrider_lag_records", "{{tier}}")).toHaveLength(1);
  expect(
    problemsOf('postrider_hold_lateness_seconds_bucket{le="6"}'),
  ).toHaveLength(1);
  expect(problemsOf('postrider_attempts_total{outcome="ok"}')).toHaveLength(1);
});

test.each(alerts)("$alert is complete", (alert) => {
  const { annotations, labels, expr } = alert;

  expect(alert.alert).toMatch(/^Postrider[A-Z]\w+$/);
  expect(problemsOf(expr)).toEqual([]);
  expect(["page", "ticket"]).toContain(labels["severity"]);
  expect(annotations["summary"]).toMatch(/^.{15,90}$/);
  expect(annotations["description"]).toMatch(/[^.]\. Next: [^]{15,}\.$/);
  expect(annotations["runbook_url"]).toBe(
    `docs/operations.md#${alert.alert.toLowerCase()}`,
  );
});

test.each(recorded)("$record is made of what there is", ({ expr }) => {
  expect(problemsOf(expr)).toEqual([]);
});

test("what is recorded has a name of its own, is there before it is used, and is used", () => {
  const seen = new Set<string>();
  const used = new Set<string>();
  for (const rule of rules) {
    for (const [name] of rule.expr.matchAll(/\bpostrider:[\w:]+/g)) {
      expect([name, seen.has(name)]).toEqual([name, true]);
      used.add(name);
    }
    if (!("record" in rule)) continue;
    expect([rule.record, seen.has(rule.record)]).toEqual([rule.record, false]);
    seen.add(rule.record);
  }

  expect(used).toEqual(seen);
});

test("every alert has its heading in the runbook, and every such heading its alert", () => {
  const headings = [
    ...read(join(root, "docs/operations.md")).matchAll(
      /^#+ (Postrider[A-Z]\w+)$/gm,
    ),
  ].map(([, name]) => name);

  expect(new Set(headings)).toEqual(new Set(alerts.map(({ alert }) => alert)));
  expect(headings).toHaveLength(alerts.length);
});

test("the runbook names no metric, label or value that there is not", () => {
  expect(problemsOf(read(join(root, "docs/operations.md")))).toEqual([]);
});

test("every alert has a test in which it fires", () => {
  const tests = read(join(prometheus, "alerts.test.yaml"));
  const untested = alerts.filter(
    ({ alert }) => !tests.includes(`{alertname="${alert}",`),
  );

  expect(untested.map(({ alert }) => alert)).toEqual([]);
});

test.each(BOARDS)(
  "$name has its own numbers and places, and no data source of one installation",
  ({ name, text, board }) => {
    const { uid, title, panels } = board;
    const ids = panels.map(({ id }) => id);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, n) => `${x + (n % w)},${y + (n - (n % w)) / w}`,
      ),
    );

    expect(`${uid}.json`).toBe(name);
    expect(title).toMatch(/^Postrider /);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels)
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (const panel of panels)
      expect(panel.fieldConfig.defaults.unit).toMatch(/^\w+$/);
    const sources = [
      ...text.matchAll(/"datasource": \{[^}]*"uid": "([^"]*)"/g),
    ].map(([, source]) => source);
    expect(new Set(sources)).toEqual(new Set(["${datasource}"]));
  },
);

test("every dashboard is over Prometheus or over ClickHouse", () => {
  expect([...PROMETHEUS_BOARDS, ...CLICKHOUSE_BOARDS]).toHaveLength(
    BOARDS.length,
  );
});

test.each(PROMETHEUS_BOARDS)(
  "$name names only what the services declare",
  ({ board }) => {
    for (const { title, targets } of board.panels)
      for (const { expr = "", legendFormat } of targets)
        expect([title, problemsOf(expr, legendFormat)]).toEqual([title, []]);
  },
);

test("Grafana beside the compose file has a data source of every kind that a dashboard wants, and each plugin", () => {
  const folder = join(root, "deploy/grafana/provisioning/datasources");
  const sources = readdirSync(folder).flatMap(
    (name) =>
      (
        parse(read(join(folder, name))) as {
          datasources: { type: string; editable: boolean }[];
        }
      ).datasources,
  );
  const compose = read(join(root, "docker-compose.yml"));

  const wanted = BOARDS.flatMap(({ board }) =>
    board.templating.list
      .filter(({ type }) => type === "datasource")
      .map(({ query }) => query),
  );
  expect(new Set(sources.map(({ type }) => type))).toEqual(new Set(wanted));
  expect(sources.map(({ editable }) => editable)).not.toContain(true);
  expect(compose).toContain(`GF_PLUGINS_PREINSTALL: ${CLICKHOUSE}\n`);
});

test.each(CLICKHOUSE_BOARDS)(
  "the queries of $name bound the time of each table, and set nothing, so that a user may send them who may only read",
  ({ board }) => {
    const queries = [
      ...board.panels.flatMap(({ targets }) =>
        targets.map(({ rawSql = "" }) => rawSql),
      ),
      ...board.templating.list
        .filter(({ type }) => type === "query")
        .map(({ query }) => String(query)),
    ];

    for (const sql of queries) {
      const reads = sql.match(/\bFROM \w+/g) ?? [];
      const bounds = sql.match(
        /\$__timeFilter\((started_at|received_at|dead_at|at)\)|\b(bucket|started_at) <= \$__toTime/g,
      );
      expect([sql, bounds?.length]).toEqual([sql, reads.length]);
      expect(sql).not.toMatch(/\bSETTINGS\b|SELECT \*/);
    }
  },
);

test("the uids and titles of the dashboards are unique", () => {
  for (const key of ["uid", "title"] as const)
    expect(new Set(BOARDS.map(({ board }) => board[key])).size).toBe(
      BOARDS.length,
    );
});

const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined;
const [testWithPromtool, why] = hasPromtool
  ? [test, ""]
  : [
      test.skip,
      " (skipped: promtool is not on the path; Debian's package prometheus has it)",
    ];

/** Its unit tests take seconds of CPU: each minute of theirs evaluates every rule. */
const PROMTOOL_MS = 300_000;

testWithPromtool.each([
  ["check", "config", "prometheus.yml"],
  ["check", "rules", "alerts.yaml"],
  ["test", "rules", "alerts.test.yaml"],
])(
  `promtool %s %s %s${why}`,
  (...args) => {
    const { status, stdout, stderr } = spawnSync("promtool", args, {
      cwd: prometheus,
      encoding: "utf8",
    });

    expect(status === 0 ? "" : stdout + stderr).toBe("");
  },
  PROMTOOL_MS,
);

function read(path: string): string {
  return readFileSync(path, "utf8");
}
