import { getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import { useRowKeys } from "../shell/row-keys.ts";
import { AskedSystem } from "./asked-system.tsx";
import { StageTable } from "./stage-table.tsx";
import styles from "./system.module.css";

const route = getRouteApi("/system");

/** How far each stage is behind, and who serves it. */
export function StagesTab() {
  const { open } = route.useSearch();
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table, "");
  return (
    <div className={styles.section}>
      <AskedSystem label="Stages" what="stages">
        {(system) => (
          <StageTable ref={table} stages={system.stages} open={open} />
        )}
      </AskedSystem>
      <p className={styles.note}>
        <em>Not done</em> is what a stage had not finished at its last commit.{" "}
        <em>Behind</em> is counted by offsets alone, as tools for Kafka do: one
        record that takes long keeps the commit back, and what is done after it
        counts as behind. Records in the tiers wait for their time, so they are
        no arrear.
      </p>
    </div>
  );
}
