import { useState } from "react";
import { pointsAt, type Series } from "../shown/chart-lines.ts";
import { shownAmount } from "../shown/chart-scale.ts";
import { exactSecond } from "../shown/shown-time.ts";
import list from "./list.module.css";
import { Text } from "./text.tsx";
import { useZone } from "./zone.tsx";
import styles from "./line-chart.module.css";

/** A chart's numbers, the newest first. They are laid out only where somebody asks for them. */
export function ChartTable({
  label,
  series,
  unit,
  times,
}: {
  readonly label: string;
  readonly series: readonly Series[];
  readonly unit: string;
  readonly times: readonly number[];
}) {
  const [isOpen, setIsOpen] = useState(false);
  const { zone } = useZone();
  const newestFirst = times.toReversed();
  const columns = series.map((each) => pointsAt(each, newestFirst));
  return (
    <details
      className={styles.table}
      onToggle={(event) => setIsOpen(event.currentTarget.open)}
    >
      <summary>As a table</summary>
      {isOpen && (
        // It scrolls, so the keyboard must reach it.
        <div
          className={styles.scroll}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above
          tabIndex={0}
          role="region"
          aria-label={`${label}, as a table`}
        >
          <table className={list.table}>
            <thead>
              <tr>
                <th scope="col">From</th>
                {series.map(({ name }, n) => (
                  <th key={n} scope="col" className={list.number}>
                    <Text>{name}</Text>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {newestFirst.map((at, row) => (
                <tr key={at}>
                  <th scope="row">{exactSecond(at, zone)}</th>
                  {columns.map((points, n) => (
                    <td key={n} className={list.number}>
                      {shownAmount(points[row]?.value ?? null, unit)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
