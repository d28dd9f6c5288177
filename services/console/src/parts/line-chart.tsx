import { useId, useState } from "react";
import {
  linePath,
  lonePoints,
  pointsAt,
  timesOf,
  valuesOf,
  type Series,
} from "../shown/chart-lines.ts";
import { shownAmount, timeAxis, valueAxis } from "../shown/chart-scale.ts";
import { exactSecond } from "../shown/shown-time.ts";
import { ChartTable } from "./chart-table.tsx";
import { Plot } from "./plot.tsx";
import { Text } from "./text.tsx";
import { useZone } from "./zone.tsx";
import styles from "./line-chart.module.css";

/** So many lines can be told apart by their dashes; the table has all of them. */
const MOST_LINES = 6;

/**
 * Lines over time. `label` says what is counted; `unit` is `ms`, `%`, a noun, or empty. The values under the pointer, or where the arrow keys
 * have gone, are in the legend, else the last that there are. The table below has all of it. Without any point there is nothing.
 */
export function LineChart({
  label,
  series,
  unit,
}: {
  readonly label: string;
  readonly series: readonly Series[];
  readonly unit: string;
}) {
  const [chosen, setChosen] = useState<number | null>(null);
  const captionId = useId();
  const { zone } = useZone();
  const times = timesOf(series);
  const [first, last] = [times.at(0), times.at(-1)];
  if (first === undefined || last === undefined) return null;

  const lines = series.slice(0, MOST_LINES);
  const hasValue = (time: number): boolean =>
    valuesOf(lines.map((line) => ({ ...line, points: pointsAt(line, [time]) })))
      .length > 0;
  // What was chosen may be gone when newer points come.
  const at =
    times.find((time) => time === chosen) ?? times.findLast(hasValue) ?? last;
  const axes = {
    along: timeAxis(first, last, zone),
    up: valueAxis(valuesOf(lines), unit),
  };
  const read = lines.map((line) =>
    shownAmount(pointsAt(line, [at])[0]?.value ?? null, unit),
  );
  return (
    <figure className={styles.chart} aria-labelledby={captionId}>
      <figcaption className={styles.caption}>
        <span id={captionId}>{label}</span>{" "}
        <small>{exactSecond(at, zone)}</small>
      </figcaption>
      <ul className={styles.legend}>
        {lines.map(({ name, tone }, n) => (
          <li key={n}>
            <svg viewBox="0 0 28 8" aria-hidden="true">
              <path className={lineClass(n, tone)} d="M2 4H26" />
            </svg>
            <Text>{name}</Text> <strong>{read[n]}</strong>
          </li>
        ))}
        {series.length > lines.length && (
          <li>{series.length - lines.length} more in the table</li>
        )}
      </ul>
      <Plot
        label={`${label}, by time`}
        text={`${exactSecond(at, zone)}: ${lines.map(({ name }, n) => `${name} ${read[n]}`).join(", ")}`}
        times={times}
        at={at}
        isChosen={at === chosen}
        onChoose={setChosen}
        {...axes}
      >
        {lines.map((line, n) => (
          <path
            key={n}
            className={lineClass(n, line.tone)}
            d={linePath(pointsAt(line, times), axes)}
          />
        ))}
        {lines.map((line, n) => (
          <path
            key={n}
            className={`${lineClass(n, line.tone)} ${styles.alone}`}
            d={linePath(lonePoints(pointsAt(line, times)), axes)}
          />
        ))}
        {chosen !== null &&
          lines.map((line, n) => (
            <path
              key={n}
              className={`${lineClass(n, line.tone)} ${styles.dot}`}
              d={linePath(pointsAt(line, [at]), axes)}
            />
          ))}
      </Plot>
      <ChartTable label={label} series={series} unit={unit} times={times} />
    </figure>
  );
}

/** The same without axes, as a part of a line of text. Its label is read instead of it: it has to say what counts. */
export function Sparkline({
  label,
  series,
  unit,
}: {
  readonly label: string;
  readonly series: readonly Series[];
  readonly unit: string;
}) {
  const times = timesOf(series);
  const axes = {
    along: timeAxis(times.at(0) ?? 0, times.at(-1) ?? 0),
    up: valueAxis(valuesOf(series), unit),
  };
  return (
    <svg
      className={`${styles.chart} ${styles.sparkline}`}
      viewBox="0 0 1000 1000"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {series.map((line, n) => (
        <path
          key={n}
          className={lineClass(n, line.tone)}
          d={linePath(pointsAt(line, times), axes)}
        />
      ))}
    </svg>
  );
}

/** Each line has dashes of its own, whatever its colour. */
function lineClass(n: number, tone: Series["tone"]): string {
  return `${styles.line} ${styles[`line${n}`]} ${tone === undefined ? "" : styles[tone]}`;
}
