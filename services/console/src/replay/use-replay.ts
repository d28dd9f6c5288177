import { useQuery } from "@tanstack/react-query";
import type { Replay } from "../api/answers-replays.ts";
import { useSession } from "../session/session-context.ts";

export const REPLAY_EVERY_MS = 1_000;
/** Where the last answer was none. One that does not exist is asked for no more often; one that was just made may not be known everywhere. */
const AFTER_ERROR_EVERY_MS = 15_000;

/** One replay, asked again and again until it is over. */
export function useReplay(id: string) {
  const { ask } = useSession();
  return useQuery({
    queryKey: ["replay", id],
    queryFn: ({ signal }) =>
      ask<Replay>(`v1/replays/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: ({ state }) => replayEveryMs(state),
  });
}

/** How long after an answer it is asked again; false: never. */
export function replayEveryMs({
  data,
  error,
}: {
  readonly data: Pick<Replay, "state"> | undefined;
  readonly error: Error | null;
}): number | false {
  if (isOver(data)) return false;
  return error === null ? REPLAY_EVERY_MS : AFTER_ERROR_EVERY_MS;
}

export function isOver(replay: Pick<Replay, "state"> | undefined): boolean {
  return replay?.state === "done" || replay?.state === "cancelled";
}
