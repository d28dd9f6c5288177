import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import { goneOf } from "./query-routes.ts";
import { READ_OPERATIONS } from "./read-operations.ts";
import type { Reader } from "./reader.ts";
import { readSeries } from "./series/read-series.ts";
import { readSeriesAsked } from "./series/series-parameters.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import {
  withEndpointsTenant,
  type KnownEndpoints,
} from "./endpoints-tenant.ts";
import { readingOf } from "./whose-rows.ts";

/** `GET /v1/series`: attempts over time, by one dimension; for charts. */
export function seriesRoutes({
  reader,
  clock,
  endpoints,
}: {
  readonly reader: Reader;
  readonly clock: Clock;
  readonly endpoints: KnownEndpoints;
}): Routes {
  return (app) => {
    app.get("/v1/series", READ_OPERATIONS.series, async (request, reply) =>
      readSeries(
        readingOf(reader, request.caller),
        withEndpointsTenant(
          readSeriesAsked(ownTenant(request), clock.now()),
          endpoints,
        ),
        goneOf(reply),
      ),
    );
  };
}
