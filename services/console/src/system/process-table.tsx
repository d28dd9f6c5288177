import type { System } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Nothing } from "../parts/notices.tsx";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { versionSentence, versionsOf } from "../shown/lag-sentences.ts";
import { AskedSystem } from "./asked-system.tsx";
import styles from "./system.module.css";

/** Every process that is up, and which version it runs. */
export function Processes() {
  return (
    <AskedSystem label="Processes" what="processes">
      {({ processes }) => <ProcessTable processes={processes} />}
    </AskedSystem>
  );
}

function ProcessTable({
  processes,
}: {
  readonly processes: System["processes"];
}) {
  if (processes.length === 0)
    return (
      <Nothing title="No process is seen">
        <p>A process that has just started comes within seconds.</p>
      </Nothing>
    );
  return (
    <table className={`${list.table} ${styles.plain}`}>
      <caption className={styles.caption}>
        {versionsOf(processes).length === 1 ? (
          <Sign tone="ok">One version</Sign>
        ) : (
          <Sign tone="wait">Several versions</Sign>
        )}{" "}
        <Text>{versionSentence(processes)}</Text>
      </caption>
      <thead>
        <tr>
          <th scope="col">Service</th>
          <th scope="col">Version</th>
          <th scope="col">Address</th>
          <th scope="col" className={`${list.wide} ${list.number}`}>
            Process
          </th>
        </tr>
      </thead>
      <tbody>
        {processes.map(({ service, host, pid, version }, n) => (
          // oxlint-disable-next-line react/no-array-index-key -- two may differ in nothing that is known of them
          <tr key={`${service} ${host} ${pid} ${n}`}>
            <th scope="row">{service}</th>
            <td>
              <Text>{version ?? "not told"}</Text>
            </td>
            <td className={styles.id}>
              <Text>{host}</Text>
            </td>
            <td className={`${list.wide} ${list.number}`}>{pid ?? "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
