import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import { causeOf } from "../audit/cause.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import { pageOf } from "../http/page.ts";
import { viewOf } from "./api-key.ts";
import { parseKeyCreation, parseKeyListQuery } from "./key-input.ts";
import { KEY_OPERATIONS } from "./key-operations.ts";
import type { KeyStore } from "./key-store.ts";

interface ById {
  Params: { id: string };
}

/** `/v1/keys`, for administrators; those with a tenant see and make keys of that tenant only. */
export function keyRoutes(store: KeyStore, clock: Clock): Routes {
  return (app) => {
    app.post("/v1/keys", KEY_OPERATIONS.create, async (request, reply) => {
      const { tenantId } = request.caller;
      const creation = parseKeyCreation(request.body, tenantId, clock.now());
      const { key, token } = await store.create(creation, causeOf(request));
      void reply.code(201).header("location", `/v1/keys/${key.id}`);
      return { ...viewOf(key, clock.now()), token };
    });
    app.get("/v1/keys", KEY_OPERATIONS.list, async (request) => {
      const query = parseKeyListQuery(ownTenant(request));
      const wanted = store
        .visible(request.caller.tenantId)
        .filter(
          (key) =>
            query.tenantId === undefined || key.tenantId === query.tenantId,
        );
      const { page, nextCursor } = pageOf(wanted, query);
      const now = clock.now();
      return { keys: page.map((key) => viewOf(key, now)), nextCursor };
    });
    app.get<ById>(
      "/v1/keys/:id",
      KEY_OPERATIONS.get,
      async ({ params, caller }) =>
        viewOf(store.get(params.id, caller.tenantId), clock.now()),
    );
    app.delete<ById>("/v1/keys/:id", KEY_OPERATIONS.revoke, async (request) => {
      const { tenantId: callersTenant } = request.caller;
      const terms = { callersTenant, cause: causeOf(request) };
      const revoked = await store.revoke(request.params.id, terms);
      return viewOf(revoked, clock.now());
    });
  };
}
