import { Button } from "@mantine/core";
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";
import list from "../parts/list.module.css";
import { usePageTitle } from "../parts/page-title.ts";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { AttemptPanels } from "./attempt-panels.tsx";
import { BreakersPanel } from "./breakers-panel.tsx";
import { ControlPanel } from "./control-panel.tsx";
import { DeadLettersPanel } from "./dead-letters-panel.tsx";
import { LagPanel } from "./lag-panel.tsx";
import { RANGES, rangeOf } from "./ranges.ts";
import { StandingPanel } from "./standing-panel.tsx";
import { LiveContext, OVERVIEW } from "./use-fresh.ts";
import { WaitingPanel } from "./waiting-panel.tsx";
import styles from "./overview.module.css";

const route = getRouteApi("/overview");

/** How deliveries do, at a glance. Each panel asks for itself, so one that fails leaves the others. */
export function OverviewPage() {
  usePageTitle("Overview");
  const { caller } = useSession();
  const chosen = rangeOf(route.useSearch());
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const isFetching = useIsFetching({ queryKey: [OVERVIEW] }) > 0;
  const [isLive, setIsLive] = useState(true);
  const panels = useRef<HTMLDivElement>(null);
  useRowKeys(panels, "");
  const since = chosen.range;
  return (
    <LiveContext value={isLive}>
      <div className={`${list.head} ${styles.head}`}>
        <h1>Overview</h1>
        <div className={styles.ranges} role="group" aria-label="Time">
          {RANGES.map(({ range, name }) => (
            <button
              key={range}
              type="button"
              aria-pressed={range === chosen.range}
              aria-label={`${range}: the last ${name}`}
              onClick={() => void navigate({ search: { range } })}
            >
              {range}
            </button>
          ))}
        </div>
        <div className={styles.refresh}>
          <label>
            <input
              type="checkbox"
              checked={isLive}
              onChange={(event) => setIsLive(event.currentTarget.checked)}
            />
            Every 30 s
          </label>
          <Button
            variant="default"
            size="xs"
            loading={isFetching}
            onClick={() =>
              void client.invalidateQueries({ queryKey: [OVERVIEW] })
            }
          >
            Refresh
          </Button>
        </div>
      </div>
      <div ref={panels} className={styles.panels}>
        <StandingPanel since={since} />
        <AttemptPanels since={since} />
        <WaitingPanel since={since} />
        <BreakersPanel since={since} />
        <DeadLettersPanel range={chosen} />
        {caller.tenantId === null && <LagPanel />}
        {caller.tenantId === null && <ControlPanel />}
      </div>
    </LiveContext>
  );
}
