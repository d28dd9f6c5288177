import { Link } from "@tanstack/react-router";
import type { System } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { shownCount, stageState } from "../shown/lag-sentences.ts";
import { Panel } from "./panel.tsx";
import { useFresh } from "./use-fresh.ts";
import styles from "./overview.module.css";

/** How much each stage has not done yet. Not for the keys of tenants. */
export function LagPanel() {
  const found = useFresh<System>("v1/system");
  return (
    <Panel title="Lag by stage" found={found}>
      {({ stages }) => (
        <table className={`${list.table} ${styles.rows}`}>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">State</th>
              <th scope="col" className={list.number}>
                Not done
              </th>
            </tr>
          </thead>
          <tbody>
            {stages.map((stage) => {
              const [tone, word] = stageState(stage);
              return (
                <tr key={stage.name}>
                  <td>
                    <Link
                      data-row
                      to="/system"
                      search={{ tab: "stages", open: stage.name }}
                    >
                      <Text>{stage.name}</Text>
                    </Link>
                  </td>
                  <td>
                    <Sign tone={tone}>{word}</Sign>
                  </td>
                  <td className={list.number}>
                    {shownCount(stage.unfinished)}
                    {stage.isWaiting && <small> waiting</small>}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
