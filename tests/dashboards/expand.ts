/**
 * Makes of a dashboard's query what Grafana sends to the database. Only what our dashboards use; anything else throws.
 *
 * | in a query over ClickHouse       | becomes                                                                    |
 * | -------------------------------- | -------------------------------------------------------------------------- |
 * | `$__timeFilter(c)`               | `c >= toDateTime(FROM) AND c <= toDateTime(TO)`, in epoch seconds          |
 * | `$__fromTime`, `$__toTime`       | `toDateTime(FROM)`, `toDateTime(TO)`                                       |
 * | `$__timeInterval(c)`             | `toStartOfInterval(toDateTime(c), INTERVAL n second)`                      |
 * | `$__interval_s`                  | how many seconds a point of the panel is wide                              |
 * | `$__conditionalAll(condition, $v)` | the condition, or `1=1` where All is picked, or nothing                  |
 * | `${v:singlequote}`               | the picked values: quoted, escaped, with commas between                    |
 *
 * The first four are done by the plugin (its pkg/macros/macros.go), the fifth by its editor (src/data/CHDatasource.ts), the last by
 * Grafana. In a query over Prometheus `$job` becomes a pattern and `$__rate_interval` a duration.
 */

export interface Asked {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly intervalSeconds: number;
  /** What is picked, by the variable's name; a variable that is not there has All. */
  readonly picked: Readonly<Record<string, readonly string[]>>;
}

export function expandSql(sql: string, asked: Asked): string {
  const from = `toDateTime(${Math.floor(asked.from / 1_000)})`;
  const to = `toDateTime(${Math.floor(asked.to / 1_000)})`;
  const expanded = withConditions(sql, asked)
    .replaceAll(/\$\{(\w+):singlequote\}/g, (_, name: string) =>
      quoted(asked.picked[name] ?? []),
    )
    .replaceAll(
      /\$__timeFilter\((\w+)\)/g,
      (_, column: string) => `${column} >= ${from} AND ${column} <= ${to}`,
    )
    .replaceAll(
      /\$__timeInterval\((\w+)\)/g,
      (_, column: string) =>
        `toStartOfInterval(toDateTime(${column}), INTERVAL ${asked.intervalSeconds} second)`,
    )
    .replaceAll("$__interval_s", String(asked.intervalSeconds))
    .replaceAll("$__fromTime", from)
    .replaceAll("$__toTime", to);
  const left = /\$[\w{]+/.exec(expanded);
  if (left !== null) throw new Error(`nothing expands ${left[0]}`);
  return expanded;
}

const CONDITION = /\$__conditionalAll\(((?:[^()]|\([^()]*\))*), \$(\w+)\)/g;

function withConditions(sql: string, { picked }: Asked): string {
  return sql.replaceAll(CONDITION, (_, condition: string, name: string) =>
    (picked[name] ?? []).length === 0 ? "1=1" : condition,
  );
}

function quoted(values: readonly string[]): string {
  return values
    .map((value) => `'${value.replaceAll(/[\\']/g, (each) => `\\${each}`)}'`)
    .join(",");
}

export function expandPromql(expr: string): string {
  return expr.replaceAll("$job", ".*").replaceAll("$__rate_interval", "1m");
}
