import type { Stage } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Text } from "../parts/text.tsx";
import { shownCount } from "../shown/lag-sentences.ts";
import { SystemProblemNote } from "./system-problem.tsx";
import styles from "./system.module.css";

/** What a stage reads and how far, and its members. */
export function StageDetails({ of }: { readonly of: Stage }) {
  return (
    <div className={styles.inside}>
      <div>
        <h3>
          Topics of the group <Text>{of.groupId}</Text>
        </h3>
        {/* It scrolls on narrow screens, so the keyboard must reach it. */}
        <div
          className={styles.scrolls}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above
          tabIndex={0}
          role="region"
          aria-label={`Topics of ${of.name}`}
        >
          <StageTopics of={of} />
        </div>
      </div>
      <div>
        <h3>Members</h3>
        {of.members.length === 0 ? <p>None is seen.</p> : <Members of={of} />}
      </div>
    </div>
  );
}

function StageTopics({ of }: { readonly of: Stage }) {
  return (
    <table className={styles.changes}>
      <thead>
        <tr>
          <th scope="col">Topic</th>
          <th scope="col">Partitions</th>
          <th scope="col">Goes on at</th>
          <th scope="col">Ends at</th>
          <th scope="col">Behind</th>
          <th scope="col">{of.isWaiting ? "Waiting" : "Not done"}</th>
        </tr>
      </thead>
      <tbody>
        {of.topics.map((each) => (
          <tr key={each.topic}>
            <th scope="row">
              <Text>{each.topic}</Text>
              <SystemProblemNote of={each.problem} />
            </th>
            <td className={list.number}>{shownCount(each.partitions)}</td>
            <td className={list.number}>{shownCount(each.committed)}</td>
            <td className={list.number}>{shownCount(each.end)}</td>
            <td className={list.number}>{shownCount(each.behind)}</td>
            <td className={list.number}>{shownCount(each.unfinished)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Members({ of }: { readonly of: Stage }) {
  return (
    <table className={styles.changes}>
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col">Process</th>
          <th scope="col">Version</th>
          <th scope="col">Partitions</th>
        </tr>
      </thead>
      <tbody>
        {of.members.map(({ host, pid, version, partitions }, n) => (
          // oxlint-disable-next-line react/no-array-index-key -- two may differ in nothing that is known of them
          <tr key={`${host} ${pid} ${n}`}>
            <th scope="row">
              <Text>{host}</Text>
            </th>
            <td>{pid ?? "–"}</td>
            <td>
              <Text>{version ?? "not told"}</Text>
            </td>
            <td>{partitions}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
