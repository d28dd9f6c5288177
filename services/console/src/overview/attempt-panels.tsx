/** Attempts over time: three panels of one answer. */
import type { Series } from "../api/answers-series.ts";
import { LineChart } from "../parts/line-chart.tsx";
import { counted, shownDuration } from "../shown/amounts.ts";
import {
  attemptLines,
  durationLines,
  successLines,
  successOf,
} from "../shown/chart-series.ts";
import { None, Panel } from "./panel.tsx";
import { useFresh } from "./use-fresh.ts";
import styles from "./overview.module.css";

export function AttemptPanels({ since }: { readonly since: string }) {
  const found = useFresh<Series>("v1/series", { since });
  return (
    <>
      <Panel title="Attempts" found={found}>
        {(series) =>
          successOf(series) === null ? (
            <NoAttempts />
          ) : (
            <LineChart
              label={`Attempts per ${shownDuration(series.stepMs)}`}
              series={attemptLines(series)}
              unit=""
            />
          )
        }
      </Panel>
      <Panel title="Duration" found={found}>
        {(series) =>
          successOf(series) === null ? (
            <None>No attempts in this time.</None>
          ) : (
            <LineChart
              label="From start to answer of an attempt"
              series={durationLines(series)}
              unit="ms"
            />
          )
        }
      </Panel>
      <Panel title="Success" found={found}>
        {(series) => <Success of={series} />}
      </Panel>
    </>
  );
}

function Success({ of }: { readonly of: Series }) {
  const success = successOf(of);
  if (success === null) return <None>No attempts in this time.</None>;
  return (
    <>
      <p className={styles.figure}>
        <strong>{success.pct} %</strong> of{" "}
        {counted(success.attempts, "attempt")}
      </p>
      <LineChart
        label="Share of attempts that succeeded"
        series={successLines(of)}
        unit="%"
      />
    </>
  );
}

function NoAttempts() {
  return (
    <None>
      No attempts in this time. Look at a longer one, or publish an event that
      an endpoint wants:{" "}
      <code>
        npx postrider publish --tenant acme --type order.paid --payload
        {` '{"orderId":1001}'`}
      </code>
    </None>
  );
}
