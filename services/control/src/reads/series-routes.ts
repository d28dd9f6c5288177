import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import { goneOf } from "./query-routes.ts";
import { READ_OPERATIONS } from "./read-operations.ts";
import type { Reader } from "./reader.ts";
import { readSeries } from "./series/read-series.ts";
import { readSeriesAsked } from "./series/series-parameters.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import { readingOf } from "./whose-rows.ts";

/** `GET /v1/series`: attempts over time, by one dimension; for charts. */
export function seriesRoutes(reader: Reader, clock: Clock): Routes {
  return (app) => {
    app.get("/v1/series", READ_OPERATIONS.series, async (request, reply) =>
      readSeries(
        readingOf(reader, request.caller),
        readSeriesAsked(ownTenant(request), clock.now()),
        goneOf(reply),
      ),
    );
  };
}
