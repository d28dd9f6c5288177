import { Link } from "@tanstack/react-router";
import type { Replay } from "../api/answers-replays.ts";
import { Text } from "../parts/text.tsx";
import { LeftOutList } from "../replay/left-out-list.tsx";
import { isOver } from "../replay/use-replay.ts";
import { shownDuration } from "../shown/amounts.ts";
import { msLeft } from "./pace.ts";
import { ProgressBar } from "./progress-bar.tsx";
import styles from "./replays.module.css";
import { usePace } from "./use-pace.ts";

/** How far a replay is, how fast, and what it left out. */
export function ReplayProgress({
  replay,
  answeredAt,
}: {
  readonly replay: Replay;
  /** Epoch milliseconds. */
  readonly answeredAt: number;
}) {
  const { id, total, done, sent, leftOut, detail, state } = replay;
  const pace = usePace(replay, answeredAt);
  const left = msLeft(Math.max(0, total - done), pace);
  const numbers: readonly (readonly [name: string, value: string])[] = [
    ["Sent", `${sent} of ${total}`],
    ["Left out", String(done - sent)],
    ...(isOver(replay)
      ? []
      : ([
          ["Rate", pace === null ? "–" : `${rounded(pace)} a second`],
          ["Time left", left === null ? "–" : `about ${shownDuration(left)}`],
        ] as const)),
  ];
  return (
    <section className={styles.card} aria-labelledby="progress">
      <h2 id="progress">Progress</h2>
      <ProgressBar replay={replay} />
      <dl className={styles.numbers}>
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {detail !== null && (
        // `waits for replay …`, `tries again: …`; `by hand`.
        <p>
          {state === "running" ? "It " : "Stopped "}
          <Text>{detail}</Text>.
        </p>
      )}
      {done > sent && (
        <>
          <h3>Left out</h3>
          <LeftOutList leftOut={leftOut} />
        </>
      )}
      {sent > 0 && (
        <p>
          <Link to="/deliveries" search={{ replayId: id }}>
            The deliveries that it made
          </Link>
        </p>
      )}
    </section>
  );
}

function rounded(perSecond: number): string {
  return perSecond >= 10
    ? String(Math.round(perSecond))
    : String(Number(perSecond.toFixed(1)));
}
