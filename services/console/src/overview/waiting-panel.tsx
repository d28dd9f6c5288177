import { Link } from "@tanstack/react-router";
import type { QueryAnswer } from "../api/answers-queries.ts";
import type { DeliverySearch } from "../deliveries/delivery-filters.ts";
import { AmountTable } from "./amount-table.tsx";
import { sumsBy } from "../shown/chart-series.ts";
import { None, Panel } from "./panel.tsx";
import { useFresh } from "./use-fresh.ts";
import styles from "./overview.module.css";

/** What waits now of the events that came in since: why, and in which tier. */
export function WaitingPanel({ since }: { readonly since: string }) {
  const found = useFresh<QueryAnswer>("v1/queries/waiting-by-tier", { since });
  return (
    <Panel title="Waiting" found={found}>
      {(answer) => {
        const byTier = sumsBy(answer, { by: "tier", of: "waiting" });
        if (byTier.length === 0)
          return <None>Nothing of this time waits.</None>;
        return (
          <div className={styles.pair}>
            <AmountTable
              caption="Reason"
              rows={sumsBy(answer, { by: "reason", of: "waiting" })}
            >
              {(reason, shown) => (
                <Link
                  data-row
                  to="/deliveries"
                  search={{ ...searchOf(reason), since }}
                >
                  {shown}
                </Link>
              )}
            </AmountTable>
            <AmountTable
              caption="Tier"
              rows={byTier.map(([tier, waiting]) => [tier || "none", waiting])}
            />
          </div>
        );
      }}
    </Panel>
  );
}

/** The list cannot leave out what was put off: of `retry` and `queued` it shows those, too. */
function searchOf(reason: string): DeliverySearch {
  switch (reason) {
    case "retry":
      return { status: "failed" };
    case "queued":
      return { status: "pending" };
    case "paused":
      return { status: "pending,failed", deadLetterReason: "paused" };
    default:
      return { status: "pending,failed", deferralReason: reason };
  }
}
