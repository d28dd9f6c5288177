import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import {
  visibleEndpoint,
  type EndpointTable,
} from "../../endpoints/endpoint-writer.ts";
import { ofCallersTenant } from "../../http/callers-tenant.ts";
import { ControlProblem } from "../../http/problem.ts";
import { rfc3339 } from "../../http/rfc3339.ts";
import { goneOf } from "../query-routes.ts";
import type { Reader } from "../reader.ts";
import { readingOf } from "../whose-rows.ts";
import { readMatchAsked } from "./match-asked.ts";
import { MATCH_OPERATION, type MatchAnswer } from "./match-operation.ts";
import { readMatches } from "./read-matches.ts";

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
  return (app) => {
    app.post(
      "/v1/endpoints/match",
      MATCH_OPERATION,
      async ({ body, caller }, reply): Promise<MatchAnswer> => {
        const asked = readMatchAsked(ofCallersTenant(body, caller.tenantId), {
          now: clock.now(),
          endpointOf: (id) => visibleEndpoint(table, id, caller.tenantId),
        });
        const counts = await readMatches(asked, {
          reading: readingOf(reader, caller),
          clock,
          gone: goneOf(reply),
        });
        if (asked.eventId !== null && counts.events === 0)
          throw notRecorded(asked.eventId);
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

function notRecorded(eventId: string): ControlProblem {
  return new ControlProblem(
    "not_found",
    `No event ${JSON.stringify(eventId)} of the tenant is recorded that endpoints could have got. What was just published takes a moment.`,
    {
      errors: [
        { field: "eventId", rule: "exists", message: "is not recorded" },
      ],
    },
  );
}
