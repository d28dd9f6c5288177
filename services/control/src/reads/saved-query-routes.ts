import type { Clock } from "@postrider/runtime";
import { invalid, type Routes } from "@postrider/http";
import { fewProblems } from "@postrider/core";
import { SAVED_QUERIES, savedQuery } from "../cookbook/cookbook.ts";
import { nearestNames } from "../cookbook/nearest-names.ts";
import {
  readParameters,
  type QueryValues,
} from "../cookbook/read-parameters.ts";
import type { SavedQuery } from "../cookbook/saved-query.ts";
import { ControlProblem } from "../http/problem.ts";
import { answerQuery } from "./query-routes.ts";
import { READ_OPERATIONS } from "./read-operations.ts";
import type { Reader } from "./reader.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import {
  withEndpointsTenant,
  type KnownEndpoints,
} from "./endpoints-tenant.ts";
import { readingOf } from "./whose-rows.ts";

/** `GET /v1/queries` and `GET /v1/queries/{name}?parameter=…`: the saved queries, under the same caps as an operator's own SQL. */
export function savedQueryRoutes({
  reader,
  clock,
  endpoints,
}: {
  readonly reader: Reader;
  readonly clock: Clock;
  readonly endpoints: KnownEndpoints;
}): Routes {
  return (app) => {
    app.get("/v1/queries", READ_OPERATIONS.savedQueries, async () => ({
      queries: SAVED_QUERIES.map(viewOf),
    }));
    app.get<{ Params: { name: string } }>(
      "/v1/queries/:name",
      READ_OPERATIONS.savedQuery,
      async (request, reply) => {
        const { name } = request.params;
        const query = savedQuery(name);
        if (query === undefined) throw unknownQuery(name);
        const given = ownTenant(request, "tenant");
        const read = readParameters(query, given, clock.now());
        if (read.kind === "wrong") throw invalid(fewProblems(read.problems));
        return await answerQuery(
          { reader: readingOf(reader, request.caller), clock },
          { sql: query.sql, values: withTenant(read.values, endpoints) },
          reply,
        );
      },
    );
  };
}

/** A text that was not given is ''. */
function withTenant(
  values: QueryValues,
  endpoints: KnownEndpoints,
): QueryValues {
  const { tenant, endpoint } = values;
  if (tenant !== "" || typeof endpoint !== "string") return values;
  const asked: { readonly endpointId: string; readonly tenantId?: string } = {
    endpointId: endpoint,
  };
  const { tenantId } = withEndpointsTenant(asked, endpoints);
  return tenantId === undefined ? values : { ...values, tenant: tenantId };
}

function viewOf({ parameters, ...query }: SavedQuery) {
  return {
    ...query,
    parameters: Object.entries(parameters).map(
      ([name, { type, default: value, description }]) => ({
        name,
        type,
        default: value,
        description,
      }),
    ),
  };
}

function unknownQuery(name: string): ControlProblem {
  const near = nearestNames(
    name,
    SAVED_QUERIES.map((query) => query.name),
  );
  const nearest =
    near.length === 0 ? "" : ` The nearest names: ${near.join(", ")}.`;
  return new ControlProblem(
    "not_found",
    `There is no saved query ${JSON.stringify(name)}.${nearest}`,
    {
      errors: [
        { field: "name", rule: "exists", message: "is not a saved query" },
      ],
    },
  );
}
