import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DeliveryPage } from "../api/answers.ts";
import type { Replay } from "../api/answers-replays.ts";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { isOver, REPLAY_EVERY_MS, useReplay } from "../replay/use-replay.ts";
import { useSession } from "../session/session-context.ts";
import { leftOutSentence } from "../shown/sentences.ts";
import styles from "./delivery.module.css";

/** How far a redrive is, and the delivery that it has made: a redrive never changes the one that it repeats. */
export function RedriveProgress({ id }: { readonly id: string }) {
  const { ask } = useSession();
  const replay = useReplay(id).data;
  const made = useQuery({
    queryKey: ["deliveries", { replayId: id }],
    queryFn: ({ signal }) =>
      ask<DeliveryPage>("v1/deliveries", { query: { replayId: id }, signal }),
    // It is recorded a moment after it was sent.
    enabled: replay !== undefined && replay.sent > 0,
    refetchInterval: ({ state }) =>
      isSettled(state.data?.deliveries[0]?.status) ? false : REPLAY_EVERY_MS,
  }).data?.deliveries[0];
  return (
    <div className={styles.progress} role="status">
      {made === undefined ? (
        <p className={styles.note}>
          <Text>{wordsOf(replay)}</Text>
        </p>
      ) : (
        <>
          <Status status={made.status} />
          <Link to="/deliveries/$id" params={{ id: made.id }}>
            The new delivery
          </Link>
        </>
      )}
    </div>
  );
}

function isSettled(status: string | undefined): boolean {
  return status === "delivered" || status === "expired";
}

function wordsOf(replay: Replay | undefined): string {
  if (replay === undefined || !isOver(replay))
    return `Sending it again…${replay?.detail ? ` (${replay.detail})` : ""}`;
  if (replay.sent > 0) return "Sent again.";
  const [reason] = Object.keys(replay.leftOut);
  return reason === undefined
    ? "Nothing was sent."
    : `Not sent. ${leftOutSentence(reason)}`;
}
