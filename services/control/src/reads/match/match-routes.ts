import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import {
  visibleEndpoint,
  type EndpointTable,
} from "../../endpoints/endpoint-table.ts";
import { ofCallersTenant } from "../../http/callers-tenant.ts";
import { ControlProblem } from "../../http/problem.ts";
import { rfc3339 } from "../../http/rfc3339.ts";
import { goneOf } from "../query-routes.ts";
import { createQueryTurns } from "../query-turns.ts";
import type { Reader } from "../reader.ts";
import { readingOf } from "../whose-rows.ts";
import { readMatchAsked } from "./match-asked.ts";
import { MATCH_OPERATION, type MatchAnswer } from "./match-operation.ts";
import { readMatches } from "./read-matches.ts";

/** To ask a filter takes this process's time, not ClickHouse's. So few run at once, and one of a tenant. */
const AT_ONCE = {
  running: 2,
  waiting: 16,
  ofOne: { running: 1, waiting: 4 },
  waitMs: 10_000,
};

/** `POST /v1/endpoints/match`: what a filter would have done with recorded events. */
export function matchRoutes({
  reader,
  clock,
  table,
}: {
  readonly reader: Reader;
  readonly clock: Clock;
  readonly table: Pick<EndpointTable, "get">;
}): Routes {
  const turns = createQueryTurns(AT_ONCE);
  return (app) => {
    app.post(
      "/v1/endpoints/match",
      MATCH_OPERATION,
      async ({ body, caller }, reply): Promise<MatchAnswer> => {
        const asked = readMatchAsked(ofCallersTenant(body, caller.tenantId), {
          now: clock.now(),
          endpointOf: (id) => visibleEndpoint(table, id, caller.tenantId),
        });
        const reading = readingOf(reader, caller);
        const gone = goneOf(reply);
        const counts = await turns.inTurn(
          { holder: caller.tenantId ?? "", gone },
          () => readMatches(asked, { reading, clock, gone }),
        );
        if (asked.eventId !== null && counts.events === 0)
          throw notRecorded(asked.eventId, asked.tenantId);
        return {
          filter: asked.filter.text,
          tenantId: asked.tenantId,
          eventTypes: asked.eventTypes,
          since: rfc3339(asked.since),
          until: asked.until === null ? null : rfc3339(asked.until),
          ...counts,
        };
      },
    );
  };
}

function notRecorded(eventId: string, tenantId: string): ControlProblem {
  return new ControlProblem(
    "not_found",
    `No event ${JSON.stringify(eventId)} of the tenant ${tenantId} is recorded that endpoints could have got. What was just published takes a moment.`,
    {
      errors: [
        { field: "eventId", rule: "exists", message: "is not recorded" },
      ],
    },
  );
}
