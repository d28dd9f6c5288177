import { NativeSelect } from "@mantine/core";
import { useState } from "react";
import { LineChart } from "../parts/line-chart.tsx";
import type { Chartable } from "./result-chart.ts";
import styles from "./result.module.css";

/** A result over time. Which numbers are drawn is chosen. */
export function ChartOfResult({ chart }: { readonly chart: Chartable }) {
  const [name, setName] = useState<string | null>(null);
  const { choices, series } = chart;
  const choice = choices.find((each) => each.name === name) ?? choices[0];
  if (choice === undefined) return null;
  return (
    <div className={styles.chart}>
      {choices.length > 1 && (
        <NativeSelect
          label="Numbers"
          data={choices.map((each) => each.name)}
          value={choice.name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <LineChart
        key={choice.name}
        label={choice.name}
        series={series(choice)}
        unit={choice.unit}
      />
    </div>
  );
}
