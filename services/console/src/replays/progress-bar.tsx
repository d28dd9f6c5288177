import type { Replay } from "../api/answers-replays.ts";
import styles from "./replays.module.css";

/** How many it has looked at, of those that were counted when it was made. */
export function ProgressBar({
  replay,
}: {
  readonly replay: Pick<Replay, "done" | "total">;
}) {
  const { done, total } = replay;
  return (
    <progress
      className={styles.progress}
      aria-label={`${done} of ${total} looked at`}
      max={Math.max(total, done, 1)}
      value={total === 0 ? 1 : done}
    />
  );
}
