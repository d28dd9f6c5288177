import { Button } from "@mantine/core";
import { useMemo } from "react";
import { Nothing } from "../parts/notices.tsx";
import { counted, shownDuration } from "../shown/amounts.ts";
import { ChartOfResult } from "./chart-of-result.tsx";
import { csvOf } from "./csv.ts";
import type { Result } from "./query-answer.ts";
import { chartable } from "./result-chart.ts";
import { ResultTable } from "./result-table.tsx";
import styles from "./result.module.css";
import { saveFile } from "./save-file.ts";

/** A result: how many rows, as a table or as a chart, and as files. */
export function Done({
  result,
  name,
  isChanged,
  wantsChart,
  onView,
}: {
  readonly result: Result;
  readonly name: string;
  readonly isChanged: boolean;
  readonly wantsChart: boolean;
  readonly onView: (wantsChart: boolean) => void;
}) {
  const chart = useMemo(() => chartable(result), [result]);
  return (
    <section className={styles.result} aria-label="Result">
      <div className={styles.head}>
        <p role="status">
          <strong>{counted(result.rows.length, "row")}</strong> in{" "}
          {shownDuration(result.elapsedMs)}
        </p>
        {chart !== null && (
          <div className={styles.views} role="group" aria-label="Show as">
            {[false, true].map((isChart) => (
              <button
                key={String(isChart)}
                type="button"
                aria-pressed={wantsChart === isChart}
                onClick={() => onView(isChart)}
              >
                {isChart ? "Chart" : "Table"}
              </button>
            ))}
          </div>
        )}
        <div className={styles.files}>
          <Button
            variant="default"
            size="xs"
            onClick={() => saveFile(`${name}.csv`, "text/csv", csvOf(result))}
          >
            Save CSV
          </Button>
          <Button
            variant="default"
            size="xs"
            onClick={() =>
              saveFile(`${name}.json`, "application/json", result.text)
            }
          >
            Save JSON
          </Button>
        </div>
      </div>
      {isChanged && (
        <p className={styles.note}>
          The SQL was changed since. This is what it answered before.
        </p>
      )}
      {result.truncated && (
        <p className={styles.cut}>
          There are more rows. At most the query&apos;s own limit, 10,000 rows,
          or 8 MiB are answered: count or group them, or ask for less.
        </p>
      )}
      <Rows result={result} chart={wantsChart ? chart : null} />
    </section>
  );
}

function Rows({
  result,
  chart,
}: {
  readonly result: Result;
  readonly chart: ReturnType<typeof chartable>;
}) {
  if (result.rows.length === 0)
    return (
      <Nothing title="No rows">
        <p>The query ran, and nothing matches it.</p>
      </Nothing>
    );
  if (chart !== null) return <ChartOfResult chart={chart} />;
  return <ResultTable result={result} />;
}
