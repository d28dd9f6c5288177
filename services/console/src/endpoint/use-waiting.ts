import { useQuery } from "@tanstack/react-query";
import type { QueryAnswer } from "../api/answers-queries.ts";
import { rowsOf } from "../shown/query-rows.ts";
import { useSession } from "../session/session-context.ts";

const EVERY_MS = 15_000;

/** A row of the saved query `waiting-now`. */
export interface Waiting {
  readonly reason: string;
  readonly waiting: number;
  /** As ClickHouse writes it. */
  readonly oldest_at: string;
}

/** What waits for one endpoint, by reason. */
export function useWaiting(of: {
  readonly id: string;
  readonly tenantId: string;
}) {
  const { ask } = useSession();
  const { id: endpoint, tenantId: tenant } = of;
  return useQuery({
    queryKey: ["waiting", endpoint],
    queryFn: async ({ signal }) =>
      rowsOf<Waiting>(
        await ask<QueryAnswer>("v1/queries/waiting-now", {
          query: { endpoint, tenant },
          signal,
        }),
      ),
    refetchInterval: EVERY_MS,
  });
}

export function countOfAll(waiting: readonly Waiting[] = []): number {
  return waiting.reduce((sum, { waiting: count }) => sum + count, 0);
}
