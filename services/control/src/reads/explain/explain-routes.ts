import { invalid, type Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import { ownTenant } from "../../http/callers-tenant.ts";
import { problemsOf } from "../../http/zod-problems.ts";
import { eventQuery, READ_OPERATIONS } from "../read-operations.ts";
import type { Reader } from "../reader.ts";
import { readingOf } from "../whose-rows.ts";
import { explain } from "./explain.ts";
import { readExplanation, type ExplainSources } from "./read-explanation.ts";

/** `GET /v1/events/{id}/explain`: who got the event, who did not, and why. */
export function explainRoutes(
  options: Omit<ExplainSources, "reading"> & {
    readonly reader: Reader;
    readonly clock: Clock;
  },
): Routes {
  const { reader, clock, ...sources } = options;
  return (app) => {
    app.get<{ Params: { id: string } }>(
      "/v1/events/:id/explain",
      READ_OPERATIONS.explain,
      async (request) => {
        const query = eventQuery.safeParse(ownTenant(request));
        if (!query.success) throw invalid(problemsOf(query.error));
        const facts = await readExplanation(
          {
            eventId: request.params.id,
            tenantId: query.data.tenantId ?? null,
            callersTenant: request.caller.tenantId,
          },
          { ...sources, reading: readingOf(reader, request.caller) },
        );
        return explain(facts, clock.now());
      },
    );
  };
}
