import { Link } from "@tanstack/react-router";
import type { QueryAnswer } from "../api/answers-queries.ts";
import { Status } from "../parts/status.tsx";
import { sumsBy } from "../shown/chart-series.ts";
import { Panel } from "./panel.tsx";
import { useFresh } from "./use-fresh.ts";
import styles from "./overview.module.css";

const STATUSES = ["delivered", "failed", "pending", "expired"];

/** The deliveries of the events that came in since, by status. Each number leads to those deliveries. */
export function StandingPanel({ since }: { readonly since: string }) {
  const found = useFresh<QueryAnswer>("v1/queries/delivery-states", { since });
  return (
    <Panel title="Deliveries" found={found}>
      {(answer) => {
        const counts = new Map(sumsBy(answer, { by: "status", of: "count" }));
        return (
          <ul className={styles.tiles}>
            {STATUSES.map((status) => (
              <li key={status}>
                <Link
                  data-row
                  to="/deliveries"
                  search={{ status, since }}
                  className={styles.tile}
                >
                  <Status status={status} />
                  <strong>
                    {(counts.get(status) ?? 0).toLocaleString("en")}
                  </strong>
                </Link>
              </li>
            ))}
          </ul>
        );
      }}
    </Panel>
  );
}
