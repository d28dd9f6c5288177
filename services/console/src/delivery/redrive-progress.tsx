import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Replay } from "../api/answers.ts";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { leftOutSentence } from "../shown/sentences.ts";
import styles from "./delivery.module.css";

const EVERY_MS = 1_000;
/** What was sent is attempted and recorded within seconds; then the page shows it. */
const RECORDED_WITHIN_MS = 15_000;

/** How far a redrive is. While it runs, and a moment longer, the delivery is read again. */
export function RedriveProgress({
  id,
  deliveryId,
}: {
  readonly id: string;
  readonly deliveryId: string;
}) {
  const { ask } = useSession();
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: ["replay", id],
    queryFn: ({ signal }) =>
      ask<Replay>(`v1/replays/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: ({ state }) => (isOver(state.data) ? false : EVERY_MS),
  });
  const isDone = isOver(data);
  useEffect(() => {
    const again = setInterval(
      () =>
        void client.invalidateQueries({ queryKey: ["delivery", deliveryId] }),
      EVERY_MS,
    );
    const end = isDone
      ? setTimeout(() => clearInterval(again), RECORDED_WITHIN_MS)
      : undefined;
    return () => {
      clearInterval(again);
      clearTimeout(end);
    };
  }, [client, deliveryId, isDone]);
  return (
    <p className={styles.note} role="status">
      {wordsOf(data)} <Text>{id}</Text>
    </p>
  );
}

function isOver(replay: Replay | undefined): boolean {
  return replay?.state === "done" || replay?.state === "cancelled";
}

function wordsOf(replay: Replay | undefined): string {
  if (replay === undefined || !isOver(replay))
    return replay?.detail ? `Redrive ${replay.detail}:` : "Sending it again:";
  if (replay.sent > 0) return "Sent again by";
  const [reason] = Object.keys(replay.leftOut);
  return reason === undefined
    ? "Nothing was sent by"
    : `Not sent. ${leftOutSentence(reason)}`;
}
