import { Link } from "@tanstack/react-router";
import type { QueryAnswer } from "../api/answers-queries.ts";
import list from "../parts/list.module.css";
import { Text } from "../parts/text.tsx";
import { sumsBy } from "../shown/chart-series.ts";
import { Panel } from "./panel.tsx";
import { before, type Range } from "./ranges.ts";
import { useFresh } from "./use-fresh.ts";
import styles from "./overview.module.css";

const QUERY = "v1/queries/dead-letters";
const BY_REASON = { by: "reason", of: "letters" };
/** More than there can be groups of reason and answer. */
const LIMIT = "10000";

/** Dead letters by reason, against the time of the same length before: whether they grow. */
export function DeadLettersPanel({ range }: { readonly range: Range }) {
  const since = range.range;
  const earlier = before(range);
  const found = useFresh<QueryAnswer>(QUERY, { since, limit: LIMIT });
  const foundEarlier = useFresh<QueryAnswer>(
    QUERY,
    earlier && { ...earlier, limit: LIMIT },
  );
  return (
    <Panel title="Dead letters" found={found}>
      {(answer) => (
        <Letters
          since={since}
          name={range.name}
          now={sumsBy(answer, BY_REASON)}
          // Those of another range are nothing to compare with.
          earlier={
            foundEarlier.data === undefined || foundEarlier.isPlaceholderData
              ? null
              : new Map(sumsBy(foundEarlier.data, BY_REASON))
          }
        />
      )}
    </Panel>
  );
}

function Letters({
  since,
  name,
  now,
  earlier,
}: {
  readonly since: string;
  readonly name: string;
  readonly now: readonly (readonly [reason: string, count: number])[];
  readonly earlier: ReadonlyMap<string, number> | null;
}) {
  const total = sum(now.map(([, count]) => count));
  const more = earlier && total - sum([...earlier.values()]);
  return (
    <>
      <p className={styles.figure}>
        <strong>{total.toLocaleString("en")}</strong> in {name}
        {more !== null && `; ${changed(more)} than in the ${name} before`}
      </p>
      {now.length > 0 && (
        <table className={`${list.table} ${styles.rows}`}>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col" className={list.number}>
                Dead letters
              </th>
              {earlier !== null && (
                <th scope="col" className={list.number}>
                  Before
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {now.map(([reason, count]) => (
              <tr key={reason}>
                <th scope="row">
                  <Text>{reason.replaceAll("_", " ")}</Text>
                </th>
                <td className={list.number}>
                  {OF_RECORDS.has(reason) ? (
                    count.toLocaleString("en")
                  ) : (
                    <Link
                      data-row
                      to="/deliveries"
                      search={{ deadLetterReason: reason, since }}
                    >
                      {count.toLocaleString("en")}
                    </Link>
                  )}
                </td>
                {earlier !== null && (
                  <td className={list.number}>
                    {(earlier.get(reason) ?? 0).toLocaleString("en")}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {now.length > 0 && (
        <p className={styles.after}>
          <Link to="/dead-letters" search={{ since }}>
            In groups, to send them again
          </Link>
        </p>
      )}
    </>
  );
}

/** Of these there may be no delivery to look at. */
const OF_RECORDS: ReadonlySet<string> = new Set([
  "unreadable",
  "invalid",
  "unknown_schema",
  "too_large",
  "row_refused",
]);

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function changed(more: number): string {
  if (more === 0) return "no more";
  return `${Math.abs(more).toLocaleString("en")} ${more > 0 ? "more" : "fewer"}`;
}
