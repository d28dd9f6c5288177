import { useQuery } from "@tanstack/react-query";
import type { Replay } from "../api/answers-replays.ts";
import { useSession } from "../session/session-context.ts";

export const REPLAY_EVERY_MS = 1_000;

/** One replay, asked again and again until it is over. */
export function useReplay(id: string) {
  const { ask } = useSession();
  return useQuery({
    queryKey: ["replay", id],
    queryFn: ({ signal }) =>
      ask<Replay>(`v1/replays/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: ({ state }) =>
      isOver(state.data) ? false : REPLAY_EVERY_MS,
  });
}

export function isOver(replay: Pick<Replay, "state"> | undefined): boolean {
  return replay?.state === "done" || replay?.state === "cancelled";
}
