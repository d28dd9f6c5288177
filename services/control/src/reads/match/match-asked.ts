/** Which filter is asked about which events. */
import type { Endpoint, EpochMs, Problem } from "@postrider/core";
import { compileFilter, type CompiledFilter } from "@postrider/filter";
import { invalid } from "@postrider/http";
import { readAsked } from "../../http/list-parameters.ts";
import { matchBody } from "./match-operation.ts";

export interface MatchAsked {
  readonly filter: CompiledFilter;
  readonly tenantId: string;
  readonly eventTypes: readonly string[];
  /** Null: all of the types. */
  readonly eventId: string | null;
  readonly since: EpochMs;
  /** Excluded; null: now. */
  readonly until: EpochMs | null;
}

const DAY_MS = 86_400_000;
/** The recorded events are kept for 30 days. */
const KEPT_MS = 32 * DAY_MS;

/** Throws a `ProblemError`. `endpointOf` throws it, too, for an endpoint that the caller does not see. */
export function readMatchAsked(
  body: unknown,
  {
    now,
    endpointOf,
  }: {
    readonly now: EpochMs;
    readonly endpointOf: (id: string) => Endpoint;
  },
): MatchAsked {
  const asked = readAsked(matchBody, body ?? {}, now);
  const { eventId = null, endpointId } = asked;
  const endpoint = endpointId === undefined ? null : endpointOf(endpointId);
  const tenantId = asked.tenantId ?? endpoint?.tenantId;
  const text = asked.filter ?? endpoint?.filter ?? undefined;
  const problems: Problem[] = [];
  if (tenantId === undefined)
    problems.push(required("tenantId", "is required without an endpointId"));
  if (text === undefined)
    problems.push(
      required(
        "filter",
        endpoint === null
          ? "is required without an endpointId"
          : "is required: the endpoint has none",
      ),
    );
  if (endpoint !== null && tenantId !== endpoint.tenantId)
    problems.push({
      field: "tenantId",
      rule: "kept",
      message: "must be that of the endpoint",
    });
  if (tenantId === undefined || text === undefined || problems.length > 0)
    throw invalid(problems);
  return {
    filter: compiled(text),
    tenantId,
    eventTypes: asked.eventTypes ?? endpoint?.eventTypes ?? ["*"],
    eventId,
    since: asked.since ?? now - (eventId === null ? DAY_MS : KEPT_MS),
    until: asked.until,
  };
}

/** An endpoint's own may be of another version of Postrider. */
function compiled(text: string): CompiledFilter {
  const made = compileFilter(text);
  if (made.ok) return made.filter;
  const { rule, message } = made.problem;
  throw invalid([{ field: "filter", rule, message }]);
}

function required(field: string, message: string): Problem {
  return { field, rule: "required", message };
}
