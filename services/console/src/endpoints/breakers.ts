import type { QueryAnswer } from "../api/answers-queries.ts";
import type { SeriesGroup } from "../api/answers-series.ts";
import type { Query } from "../api/ask.ts";
import { rowsOf } from "../shown/query-rows.ts";

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

/** Null: it was not open in the last day. Undefined: not known yet, or not to be had. */
export type BreakerOf = (endpointId: string) => Breaker | null | undefined;

/** By endpoint, the attempts of the last day; one without attempts is not there. Undefined: they are not to be had. */
type Attempts =
  ReadonlyMap<string, Pick<SeriesGroup, "attempts" | "delivered">> | undefined;

/** The query takes one tenant or all, and no endpoints: of more than so many the longest open are answered. */
const MOST_ROWS = 100;

/** What has to be asked to know the breakers of these endpoints; null: nothing. */
export function breakerQuestion(
  endpoints: readonly { readonly id: string; readonly tenantId: string }[],
  attempts: Attempts,
): Query | null {
  const suspects = endpoints.filter(({ id }) => isSuspect(id, attempts));
  const [tenant, ...others] = new Set(suspects.map((each) => each.tenantId));
  if (tenant === undefined) return null;
  return {
    since: "1d",
    limit: String(MOST_ROWS),
    ...(others.length === 0 && { tenant }),
  };
}

/** What the answer says. Undefined: there is none. */
export function breakersIn(
  answer: QueryAnswer | undefined,
  attempts: Attempts,
): BreakerOf {
  const rows = new Map(
    (answer ? rowsOf<Breaker>(answer) : []).map((row) => [
      row.endpoint_id,
      row,
    ]),
  );
  const isWhole = answer !== undefined && !answer.truncated;
  return (id) => {
    const row = rows.get(id);
    if (row !== undefined) return row;
    return isWhole || !isSuspect(id, attempts) ? null : undefined;
  };
}

/** Only attempts that fail open a breaker, and while it is open some are tried again and again. */
function isSuspect(id: string, attempts: Attempts): boolean {
  if (attempts === undefined) return true;
  const lately = attempts.get(id);
  return lately !== undefined && lately.delivered < lately.attempts;
}
