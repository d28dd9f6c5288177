import { invalid, type Routes } from "@postrider/http";
import { problemsOf } from "../http/zod-problems.ts";
import { goneOf } from "./query-routes.ts";
import { deliveryQuery, READ_OPERATIONS } from "./read-operations.ts";
import type { Reader } from "./reader.ts";
import { readTimeline } from "./timeline/read-timeline.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import { readingOf } from "./whose-rows.ts";

/** `GET /v1/deliveries/{id}`: how it stands, and how it came to that. */
export function deliveryRoutes(reader: Reader): Routes {
  return (app) => {
    app.get<{ Params: { id: string } }>(
      "/v1/deliveries/:id",
      READ_OPERATIONS.delivery,
      async (request, reply) => {
        const query = deliveryQuery.safeParse(ownTenant(request));
        if (!query.success) throw invalid(problemsOf(query.error));
        const { delivery, timeline, isCut } = await readTimeline(
          readingOf(reader, request.caller),
          {
            id: request.params.id,
            tenantId: query.data.tenantId,
            isOperators: request.caller.tenantId === null,
          },
          goneOf(reply),
        );
        return { ...delivery, timeline, truncated: isCut };
      },
    );
  };
}
