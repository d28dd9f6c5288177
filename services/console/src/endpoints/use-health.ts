import { useQuery } from "@tanstack/react-query";
import type { HealthGroup, HealthSeries } from "../api/answers-endpoints.ts";
import type { QueryAnswer } from "../api/answers-queries.ts";
import { useSession } from "../session/session-context.ts";
import { breakerQuestion, breakersIn, type BreakerOf } from "./breakers.ts";

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

/** The breakers of these endpoints, as far as deliveries show them. */
export function useBreakers(
  endpoints: readonly { readonly id: string; readonly tenantId: string }[],
  { attempts, error }: Health,
): BreakerOf {
  const { ask } = useSession();
  const query = breakerQuestion(endpoints, attempts);
  const { data } = useQuery({
    queryKey: ["breakers", query],
    queryFn: ({ signal }) =>
      ask<QueryAnswer>("v1/queries/breaker-time", {
        query: query ?? {},
        signal,
      }),
    // Who has failed at all is known first.
    enabled: query !== null && (attempts !== undefined || error !== null),
    refetchInterval: EVERY_MS,
  });
  return breakersIn(data, attempts);
}
