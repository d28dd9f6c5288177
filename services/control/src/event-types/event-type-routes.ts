import type { EventType, TypePolicy } from "@postrider/core";
import type { Routes } from "@postrider/http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { causeOf } from "../audit/cause.ts";
import {
  isVisible,
  ofCallersTenant,
  ownTenant,
} from "../http/callers-tenant.ts";
import { requiredVersion } from "../http/if-match.ts";
import { pageOf } from "../http/page.ts";
import { ControlProblem } from "../http/problem.ts";
import { rfc3339 } from "../http/rfc3339.ts";
import { changedEventType, parsed, viewOf } from "./event-type.ts";
import {
  parseAs,
  parseEventTypeChange,
  parseEventTypeCreation,
  policyChange,
  policyListQuery,
  policyParams,
  requireSound,
  typeListQuery,
  typeQuery,
} from "./event-type-input.ts";
import {
  EVENT_TYPE_OPERATIONS,
  type PolicyView,
} from "./event-type-operations.ts";
import type { PolicyStore } from "./policy-store.ts";
import type { TypeName, TypeStore, TypeTerms } from "./type-store.ts";

interface ByName {
  Params: { name: string };
}
interface OfTenant {
  Params: { tenantId: string };
}

/** `/v1/event-types`. Reads come from our own table, on every replica. A key with a tenant sees every tenant's types and its own, and changes its own. */
export function eventTypeRoutes(types: TypeStore): Routes {
  const operations = EVENT_TYPE_OPERATIONS;
  return (app) => {
    app.post("/v1/event-types", operations.create, async (request, reply) => {
      const creation = parseEventTypeCreation(
        ofCallersTenant(request.body, request.caller.tenantId),
      );
      const made = await types.create(creation, causeOf(request));
      void reply.code(201).header("location", pathOf(made));
      return shown(reply, made);
    });
    app.get("/v1/event-types", operations.list, async (request) => {
      const query = parseAs(typeListQuery, ownTenant(request));
      const { tenantId } = query;
      const wanted = types
        .all()
        .filter(
          (type) =>
            tenantId === undefined ||
            type.tenantId === null ||
            type.tenantId === tenantId,
        )
        .map((type) => ({
          type,
          createdAt: type.createdAt,
          id: `${type.tenantId ?? ""}:${type.name}`,
        }));
      const { page, nextCursor } = pageOf(wanted, query);
      return { eventTypes: page.map(({ type }) => viewOf(type)), nextCursor };
    });
    app.get<ByName>(
      "/v1/event-types/:name",
      operations.get,
      async (request, reply) => {
        const { name, tenantId } = namedBy(request);
        const named = types.all().filter((type) => type.name === name);
        const own = named.find((type) => type.tenantId === tenantId);
        const common = named.find((type) => type.tenantId === null);
        return shown(reply, own ?? common ?? types.get({ name, tenantId }));
      },
    );
    app.patch<ByName>(
      "/v1/event-types/:name",
      operations.change,
      async (request, reply) => {
        const terms = termsOf(request);
        const change = parseEventTypeChange(request.body);
        const changed = await types.change(
          namedBy(request),
          terms,
          (before, now) => {
            const after = changedEventType(before, change, now);
            requireSound({
              schema: parsed(after.schema),
              example: parsed(after.example),
            });
            return after;
          },
        );
        return shown(reply, changed);
      },
    );
    app.delete<ByName>(
      "/v1/event-types/:name",
      operations.remove,
      async (request, reply) => {
        await types.remove(namedBy(request), termsOf(request));
        return await reply.code(204).send();
      },
    );
  };
}

/** `/v1/event-type-policies`: what a tenant's events are held to. */
export function policyRoutes(policies: PolicyStore): Routes {
  const operations = EVENT_TYPE_OPERATIONS;
  return (app) => {
    app.get(
      "/v1/event-type-policies",
      operations.listPolicies,
      async (request) => {
        const query = parseAs(policyListQuery, ownTenant(request));
        const wanted = policies
          .all()
          .filter(
            ({ tenantId }) =>
              query.tenantId === undefined || query.tenantId === tenantId,
          )
          .map((policy) => ({ policy, createdAt: 0, id: policy.tenantId }));
        const { page, nextCursor } = pageOf(wanted, query);
        return {
          policies: page.map(({ policy }) =>
            policyViewOf(policy.tenantId, policy),
          ),
          nextCursor,
        };
      },
    );
    app.get<OfTenant>(
      "/v1/event-type-policies/:tenantId",
      operations.getPolicy,
      async (request) => {
        const tenantId = tenantIn(request);
        return policyViewOf(tenantId, policies.get(tenantId));
      },
    );
    app.put<OfTenant>(
      "/v1/event-type-policies/:tenantId",
      operations.setPolicy,
      async (request) => {
        const tenantId = tenantIn(request);
        const { level } = parseAs(policyChange, request.body);
        await policies.set(tenantId, level, causeOf(request));
        return policyViewOf(tenantId, policies.get(tenantId));
      },
    );
  };
}

function shown(reply: FastifyReply, type: EventType) {
  void reply.header("etag", `"${type.version}"`);
  return viewOf(type);
}

/** The type that a request means: a tenant's own where it names one, or its key has one. */
function namedBy(request: FastifyRequest<ByName>): TypeName {
  const { tenantId = null } = parseAs(typeQuery, ownTenant(request));
  return { name: request.params.name, tenantId };
}

function termsOf(request: FastifyRequest<ByName>): TypeTerms {
  return {
    condition: requiredVersion(request.headers["if-match"]),
    cause: causeOf(request),
  };
}

function pathOf({ name, tenantId }: EventType): string {
  const path = `/v1/event-types/${encodeURIComponent(name)}`;
  return tenantId === null ? path : `${path}?tenantId=${tenantId}`;
}

/** To a key with a tenant, every other tenant is one that does not exist. */
function tenantIn({ params, caller }: FastifyRequest<OfTenant>): string {
  const { tenantId } = parseAs(policyParams, params);
  if (isVisible({ tenantId }, caller.tenantId)) return tenantId;
  throw new ControlProblem("not_found", "There is no such tenant.", {
    errors: [{ field: "tenantId", rule: "exists", message: "is no tenant" }],
  });
}

function policyViewOf(
  tenantId: string,
  policy: TypePolicy | undefined,
): PolicyView {
  return {
    tenantId,
    level: policy?.level ?? "off",
    updatedAt: policy === undefined ? null : rfc3339(policy.updatedAt),
  };
}
