import type { ControlStatus } from "../api/answers-system.ts";
import { Text } from "../parts/text.tsx";
import { counted } from "../shown/amounts.ts";
import { Panel } from "./panel.tsx";
import { useFresh } from "./use-fresh.ts";

/** What the replica of control that has answered says of itself. Not for the keys of tenants. */
export function ControlPanel() {
  const found = useFresh<ControlStatus>("v1/status");
  return (
    <Panel title="Control" found={found}>
      {({ ownership, endpoints, clickhouse }) => (
        <ul>
          <li>
            {ownership.state}: <Text>{ownership.detail}</Text>
          </li>
          <li>{counted(endpoints, "endpoint")}</li>
          <li>
            ClickHouse: <Text>{clickhouse.detail}</Text>
          </li>
        </ul>
      )}
    </Panel>
  );
}
