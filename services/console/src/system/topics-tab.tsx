import type { Topic } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { counted } from "../shown/amounts.ts";
import { shownCount } from "../shown/lag-sentences.ts";
import { AskedSystem } from "./asked-system.tsx";
import { SystemProblemNote } from "./system-problem.tsx";
import styles from "./system.module.css";

/** Postrider's topics, and those of configured sources that are read. */
export function TopicsTab() {
  return (
    <AskedSystem label="Topics" what="topics">
      {({ topics }) => (
        <table className={`${list.table} ${styles.plain}`}>
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">State</th>
              <th scope="col" className={list.number}>
                Partitions
              </th>
              <th scope="col" className={`${list.wide} ${list.number}`}>
                Replicas
              </th>
              <th scope="col" className={list.number}>
                Records at most
              </th>
            </tr>
          </thead>
          <tbody>
            {topics.map((topic) => (
              <tr key={topic.topic}>
                <th scope="row">
                  <Text>{topic.topic}</Text>
                </th>
                <td>
                  <TopicState of={topic} />
                </td>
                <td className={list.number}>{shownCount(topic.partitions)}</td>
                <td className={`${list.wide} ${list.number}`}>
                  {shownCount(topic.replicas)}
                </td>
                <td className={list.number}>{shownCount(topic.records)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </AskedSystem>
  );
}

function TopicState({ of }: { readonly of: Topic }) {
  const { leaderless, underReplicated, problem } = of;
  if (problem !== null) return <SystemProblemNote of={problem} />;
  if (leaderless !== null && leaderless > 0)
    return (
      <Sign tone="bad">
        {`${counted(leaderless, "partition")} without a leader`}
      </Sign>
    );
  return underReplicated !== null && underReplicated > 0 ? (
    <Sign tone="wait">
      {`${counted(underReplicated, "partition")} with a replica behind`}
    </Sign>
  ) : (
    <Sign tone="ok">Whole</Sign>
  );
}
