import { Button } from "@mantine/core";
import styles from "./live.module.css";
import { LIVE_EVERY_MS } from "./use-deliveries.ts";

/** Whether the list is followed. It is as high in both cases: what is below it must not move. */
export function LiveBar({
  isStopped,
  onGoOn,
}: {
  readonly isStopped: boolean;
  readonly onGoOn: () => void;
}) {
  return (
    <div className={styles.bar} role="status">
      <span
        className={isStopped ? styles.still : styles.moving}
        aria-hidden="true"
      />
      <span>
        {isStopped
          ? "Live has stopped: you are in the list."
          : `Live: the newest come every ${LIVE_EVERY_MS / 1_000} s.`}
      </span>
      {isStopped && (
        <Button size="compact-xs" variant="default" onClick={onGoOn}>
          Go on
        </Button>
      )}
    </div>
  );
}
