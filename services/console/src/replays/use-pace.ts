import { useEffect, useState } from "react";
import type { Replay } from "../api/answers-replays.ts";
import { paceOf, withReading, type Reading } from "./pace.ts";

/** Deliveries a second, from the answers since the page was opened; null where that cannot be told yet, and where it does not run. */
export function usePace(
  { state, done }: Pick<Replay, "state" | "done">,
  answeredAt: number,
): number | null {
  const [readings, setReadings] = useState<readonly Reading[]>([]);
  const isRunning = state === "running";
  useEffect(
    () =>
      setReadings((now) =>
        isRunning ? withReading(now, { at: answeredAt, done }) : [],
      ),
    [isRunning, answeredAt, done],
  );
  return isRunning ? paceOf(readings) : null;
}
