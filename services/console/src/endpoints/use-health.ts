import { useQuery } from "@tanstack/react-query";
import type { QueryAnswer } from "../api/answers-queries.ts";
import type { Series, SeriesGroup } from "../api/answers-series.ts";
import { useSession } from "../session/session-context.ts";
import { attemptLines } from "../shown/chart-series.ts";
import type { Series as Line } from "../shown/chart-lines.ts";
import { breakerQuestion, breakersIn, type BreakerOf } from "./breakers.ts";

/** For how long back; as words, and as the API takes it. */
export const HEALTH_WINDOW = { words: "24 h", since: "24h" } as const;
const EVERY_MS = 30_000;

/** How the attempts at one endpoint went. */
export interface EndpointHealth extends SeriesGroup {
  /** By the hour: those that delivered, and those that failed. */
  readonly lines: readonly Line[];
}

export interface Health {
  /** By endpoint; one without attempts is not there. Undefined: not known yet, or not to be had. */
  readonly attempts: ReadonlyMap<string, EndpointHealth> | undefined;
  readonly error: Error | null;
}

/** How the attempts at these endpoints went lately, in one question: 20 of them at most. */
export function useHealth(ids: readonly string[]): Health {
  const { ask } = useSession();
  const { data, error } = useQuery({
    queryKey: ["health", ids],
    queryFn: ({ signal }) =>
      ask<Series>("v1/series", {
        query: {
          by: "endpointId",
          endpointId: ids.join(),
          groups: String(ids.length),
          since: HEALTH_WINDOW.since,
          step: "1h",
        },
        signal,
      }),
    enabled: ids.length > 0,
    refetchInterval: EVERY_MS,
  });
  return {
    attempts: data && new Map(data.groups.map((each) => healthOf(data, each))),
    error,
  };
}

function healthOf(
  series: Series,
  group: SeriesGroup,
): [id: string, EndpointHealth] {
  const lines = attemptLines({ ...series, groups: [group] });
  return [group.key ?? "", { ...group, lines }];
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
