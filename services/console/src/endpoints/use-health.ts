import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { HealthGroup, HealthSeries } from "../api/answers-endpoints.ts";
import type { QueryAnswer } from "../api/answers-queries.ts";
import { useSession } from "../session/session-context.ts";
import { rowsOf } from "../shown/query-rows.ts";

/** For how long back; as words, and as the API takes it. */
export const HEALTH_WINDOW = { words: "24 h", since: "24h" } as const;
const EVERY_MS = 30_000;

export interface Health {
  /** By endpoint; one without attempts is not there. Undefined: not known yet, or not to be had. */
  readonly attempts: ReadonlyMap<string, HealthGroup> | undefined;
  readonly error: Error | null;
}

/** How the attempts at these endpoints went lately, in one question: 20 of them at most. */
export function useHealth(ids: readonly string[]): Health {
  const { ask } = useSession();
  const { data, error } = useQuery({
    queryKey: ["health", ids],
    queryFn: ({ signal }) =>
      ask<HealthSeries>("v1/series", {
        query: {
          by: "endpointId",
          endpointId: ids.join(),
          groups: String(ids.length),
          since: HEALTH_WINDOW.since,
          step: "1d",
        },
        signal,
      }),
    enabled: ids.length > 0,
    refetchInterval: EVERY_MS,
  });
  return {
    attempts:
      data && new Map(data.groups.map((each) => [each.key ?? "", each])),
    error,
  };
}

/** A row of the saved query `breaker-time`. */
export interface Breaker {
  readonly endpoint_id: string;
  readonly times_open: number;
  readonly still_open: number;
  readonly open_s: number;
  readonly deliveries_put_off: number;
  /** As ClickHouse writes it. */
  readonly last_opened_at: string;
}

/** The breakers that were open in the last day, by endpoint. Undefined: not known yet, or not to be had. */
export function useBreakers(
  tenantId: string | undefined,
): ReadonlyMap<string, Breaker> | undefined {
  const { ask } = useSession();
  const { data } = useQuery({
    queryKey: ["breakers", tenantId],
    queryFn: ({ signal }) =>
      ask<QueryAnswer>("v1/queries/breaker-time", {
        query: { since: "1d", limit: "10000", tenant: tenantId },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
  return (
    data && new Map(rowsOf<Breaker>(data).map((row) => [row.endpoint_id, row]))
  );
}
