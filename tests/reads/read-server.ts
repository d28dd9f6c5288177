/** Control's routes that read, over real HTTP, and a caller for each tenant. */
import {
  KnownKeys,
  newKey,
  type ApiServer,
  type ProblemDocument,
} from "@postrider/http";
import type { Endpoint } from "@postrider/core";
import type { ClickHouseAccess } from "@postrider/runtime";
import { anApiKey, testEffects } from "@postrider/testkit";
import { documentedAnswers } from "@postrider/testkit/documented-answers";
import { createServer } from "../../services/control/src/http/server.ts";
import { deliveryRoutes } from "../../services/control/src/reads/delivery-routes.ts";
import { eventRoutes } from "../../services/control/src/reads/event-routes.ts";
import { explainRoutes } from "../../services/control/src/reads/explain/explain-routes.ts";
import { listRoutes } from "../../services/control/src/reads/lists/list-routes.ts";
import { queryRoutes } from "../../services/control/src/reads/query-routes.ts";
import { createReader } from "../../services/control/src/reads/reader.ts";
import { savedQueryRoutes } from "../../services/control/src/reads/saved-query-routes.ts";
import { seriesRoutes } from "../../services/control/src/reads/series-routes.ts";

const KEY = "an-admin-key-of-the-test";

export interface ReadServer {
  /** As an operator, or with the key of a tenant. */
  ask<T = Answer>(
    path: string,
    as?: { readonly tenantId?: string; readonly sql?: string },
  ): Promise<{ readonly status: number; readonly body: T }>;
  readonly log: ReturnType<typeof testEffects>["log"];
  stop(): Promise<void>;
}

export type Row = Readonly<Record<string, unknown>>;

export interface Answer extends ProblemDocument {
  readonly deliveries: readonly Row[];
  readonly attempts: readonly Row[];
  readonly deadLetters: readonly Row[];
  readonly timeline: readonly Row[];
  readonly rows: readonly (readonly unknown[])[];
  readonly nextCursor: string | null;
}

/** Makes a reader's key for each tenant that asks. */
function tenantKeys(): {
  readonly keys: KnownKeys;
  tokenOf(tenantId: string): string;
} {
  const keys = new KnownKeys();
  const tokens = new Map<string, string>();
  return {
    keys,
    tokenOf(tenantId) {
      const known = tokens.get(tenantId);
      if (known !== undefined) return known;
      const { id, token, hash } = newKey();
      keys.set(id, anApiKey({ id, role: "reader", tenantId, hash }));
      tokens.set(tenantId, token);
      return token;
    },
  };
}

export async function startReadServer(of: {
  readonly url: string;
  readonly database: string;
  readonly tenants?: ClickHouseAccess | null;
  readonly endpoints?: readonly Endpoint[];
}): Promise<ReadServer> {
  const endpoints = new Map(of.endpoints?.map((one) => [one.id, one]));
  const effects = testEffects();
  const { clock } = effects;
  const { keys, tokenOf } = tenantKeys();
  const reader = createReader({ ...effects, ...of, queryTimeoutMs: 60_000 });
  const server: ApiServer = createServer({
    ...effects,
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys,
    routes: [
      listRoutes({ reader, clock, endpoints }),
      deliveryRoutes(reader),
      seriesRoutes({ reader, clock, endpoints }),
      eventRoutes(reader),
      explainRoutes({
        reader,
        clock,
        endpoints,
        eventsTopic: "postrider.events",
      }),
      queryRoutes(reader, clock),
      savedQueryRoutes({ reader, clock, endpoints }),
    ],
  });
  await reader.start();
  await server.start();
  const requireDocumented = documentedAnswers(server.document());
  return {
    log: effects.log,
    async ask<T>(
      path: string,
      {
        tenantId,
        sql,
      }: { readonly tenantId?: string; readonly sql?: string } = {},
    ) {
      const method = sql === undefined ? "GET" : "POST";
      const answer = await fetch(`${server.url()}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${tenantId === undefined ? KEY : tokenOf(tenantId)}`,
          ...(sql !== undefined && { "content-type": "application/json" }),
        },
        ...(sql !== undefined && { body: JSON.stringify({ sql }) }),
      });
      const { status } = answer;
      const contentType = answer.headers.get("content-type");
      const text = await answer.text();
      requireDocumented({ method, path, status, contentType, text });
      return { status, body: JSON.parse(text) as T };
    },
    async stop() {
      await server.stop(0);
      await reader.stop(0);
    },
  };
}
