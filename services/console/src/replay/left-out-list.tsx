import type { LeftOut } from "../api/answers-replays.ts";
import { Text } from "../parts/text.tsx";
import { leftOutSentence } from "../shown/sentences.ts";
import styles from "./replay.module.css";

/** How many are left out for which reason; the most first. */
export function LeftOutList({ leftOut }: { readonly leftOut: LeftOut }) {
  const reasons = Object.entries(leftOut).toSorted(([, a], [, b]) => b - a);
  return (
    <ul className={styles.leftOut}>
      {reasons.map(([reason, count]) => (
        <li key={reason}>
          <b>{count}</b>
          <span>
            <Text>{leftOutSentence(reason)}</Text>
          </span>
        </li>
      ))}
    </ul>
  );
}
