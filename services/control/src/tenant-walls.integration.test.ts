/**
 * What a key with a tenant learns of another tenant: nothing, not even what exists. Every route of control is asked twice by an
 * administrator of the tenant `beta`: for what `zebra` has, and for what nobody has. A route without a case here fails the first test.
 */
import { beforeAll, expect, test } from "@jest/globals";
import { execute, useStack } from "@postrider/testkit";
import { migrateFor } from "../fixtures/migrated.ts";
import { ROUTES_OF_ROWS } from "../fixtures/routes-of-rows.ts";
import {
  useControl,
  type Ask,
  type Reply,
} from "../fixtures/running-control.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;

/** Not a word that a text of ours may hold. */
const THEIRS = "zebra";

/** What `zebra` has. */
interface Things {
  readonly endpoint: string;
  readonly key: string;
  readonly event: string;
  readonly replay: string;
  readonly eventType: string;
}

/** What nobody has, in the same forms. */
const NOTHING: Things = {
  endpoint: `ep_${"0".repeat(24)}`,
  key: "0123456789abcdef",
  event: "evt_of_nobody",
  replay: `rpl_${"0".repeat(24)}`,
  eventType: "order.of.nobody",
};

type Case =
  /** The answer about `zebra`'s thing is that about nothing. */
  | {
      readonly kind: "same";
      readonly path: (of: Things) => string;
      readonly body?: unknown;
    }
  /** Answers 200, and nothing of `zebra` is in it. */
  | {
      readonly kind: "own";
      readonly path: string;
      /** It has the parameter `tenantId`, and refuses another tenant's. */
      readonly isOfTenants?: true;
    }
  /** A creation for `zebra` is refused by its field. */
  | { readonly kind: "creates"; readonly path: string; readonly body: object }
  /** Reads rows of ClickHouse, where this control has no user for tenants: refused before anything is looked up. That the rows are the tenant's own where it has one, tests/tenants.integration.test.ts shows. */
  | { readonly kind: "unserved"; readonly path: (of: Things) => string }
  /** The console's, the same for everybody; where it is not built there is none. */
  | { readonly kind: "file"; readonly path: string }
  /** Not for keys with a tenant. */
  | {
      readonly kind: "forbidden";
      readonly path: string;
      readonly body?: unknown;
    };

const endpoint =
  (under = "") =>
  (of: Things): string =>
    `/v1/endpoints/${of.endpoint}${under}`;
const key = (of: Things): string => `/v1/keys/${of.key}`;
const eventType = (of: Things): string => `/v1/event-types/${of.eventType}`;
const policy = (of: Things): string =>
  `/v1/event-type-policies/${of === NOTHING ? "nobody" : THEIRS}`;
const replay =
  (under = "") =>
  (of: Things): string =>
    `/v1/replays/${of.replay}${under}`;

const CASES: Readonly<Record<string, Case>> = {
  "POST /v1/keys": {
    kind: "creates",
    path: "/v1/keys",
    body: { name: "x", role: "reader" },
  },
  "GET /v1/keys": { kind: "own", path: "/v1/keys", isOfTenants: true },
  "GET /v1/keys/:id": { kind: "same", path: key },
  "DELETE /v1/keys/:id": { kind: "same", path: key },
  "POST /v1/event-types": {
    kind: "creates",
    path: "/v1/event-types",
    body: { name: "order.paid" },
  },
  "GET /v1/event-types": {
    kind: "own",
    path: "/v1/event-types",
    isOfTenants: true,
  },
  "GET /v1/event-types/:name": { kind: "same", path: eventType },
  "PATCH /v1/event-types/:name": {
    kind: "same",
    path: eventType,
    body: { description: "theirs" },
  },
  "DELETE /v1/event-types/:name": { kind: "same", path: eventType },
  "GET /v1/event-type-policies": {
    kind: "own",
    path: "/v1/event-type-policies",
    isOfTenants: true,
  },
  "GET /v1/event-type-policies/:tenantId": { kind: "same", path: policy },
  "PUT /v1/event-type-policies/:tenantId": {
    kind: "same",
    path: policy,
    body: { level: "off" },
  },
  "POST /v1/endpoints": {
    kind: "creates",
    path: "/v1/endpoints",
    body: { url: "https://example.com/hook", eventTypes: ["*"] },
  },
  "GET /v1/endpoints": {
    kind: "own",
    path: "/v1/endpoints",
    isOfTenants: true,
  },
  "GET /v1/endpoints/:id": { kind: "same", path: endpoint() },
  "PATCH /v1/endpoints/:id": {
    kind: "same",
    path: endpoint(),
    body: { description: "theirs" },
  },
  "DELETE /v1/endpoints/:id": { kind: "same", path: endpoint() },
  "POST /v1/endpoints/validate": {
    kind: "creates",
    path: "/v1/endpoints/validate",
    body: { url: "https://example.com/hook", eventTypes: ["*"] },
  },
  "POST /v1/endpoints/match": {
    kind: "creates",
    path: "/v1/endpoints/match",
    body: { filter: "true" },
  },
  "POST /v1/endpoints/:id/test": { kind: "same", path: endpoint("/test") },
  "POST /v1/endpoints/:id/rotate-secret": {
    kind: "same",
    path: endpoint("/rotate-secret"),
  },
  "POST /v1/endpoints/:id/pause": { kind: "same", path: endpoint("/pause") },
  "POST /v1/endpoints/:id/disable": {
    kind: "same",
    path: endpoint("/disable"),
  },
  "POST /v1/endpoints/:id/enable": { kind: "same", path: endpoint("/enable") },
  "POST /v1/endpoints/:id/resume": { kind: "same", path: endpoint("/resume") },
  "GET /v1/endpoints/:id/resume": { kind: "same", path: endpoint("/resume") },
  "DELETE /v1/endpoints/:id/resume": {
    kind: "same",
    path: endpoint("/resume"),
  },
  "POST /v1/replays/preview": {
    kind: "creates",
    path: "/v1/replays/preview",
    body: { reasons: ["exhausted"] },
  },
  "POST /v1/replays": {
    kind: "creates",
    path: "/v1/replays",
    body: { reasons: ["exhausted"], confirm: true },
  },
  "GET /v1/replays": { kind: "own", path: "/v1/replays", isOfTenants: true },
  "GET /v1/replays/:id": { kind: "same", path: replay() },
  "POST /v1/replays/:id/pause": { kind: "same", path: replay("/pause") },
  "POST /v1/replays/:id/resume": { kind: "same", path: replay("/resume") },
  "POST /v1/replays/:id/cancel": { kind: "same", path: replay("/cancel") },
  "GET /v1/audit": { kind: "unserved", path: () => "/v1/audit" },
  "GET /v1/events/:id": {
    kind: "unserved",
    path: ({ event }) => `/v1/events/${event}`,
  },
  "GET /v1/events/:id/payload": {
    kind: "unserved",
    path: ({ event }) => `/v1/events/${event}/payload`,
  },
  "GET /v1/events/:id/explain": {
    kind: "unserved",
    path: ({ event }) => `/v1/events/${event}/explain`,
  },
  "GET /v1/deliveries": { kind: "unserved", path: () => "/v1/deliveries" },
  "GET /v1/deliveries/:id": {
    kind: "unserved",
    path: ({ event }) => `/v1/deliveries/${event}`,
  },
  "GET /v1/attempts": { kind: "unserved", path: () => "/v1/attempts" },
  "GET /v1/dead-letters": { kind: "unserved", path: () => "/v1/dead-letters" },
  "GET /v1/series": { kind: "unserved", path: () => "/v1/series" },
  "GET /v1/secrets": { kind: "forbidden", path: "/v1/secrets" },
  "POST /v1/secrets/reencrypt": {
    kind: "forbidden",
    path: "/v1/secrets/reencrypt",
    body: {},
  },
  "POST /v1/query": {
    kind: "forbidden",
    path: "/v1/query",
    body: { sql: "SELECT 1" },
  },
  "GET /v1/queries": { kind: "own", path: "/v1/queries" },
  "GET /v1/queries/:name": {
    kind: "unserved",
    path: () => "/v1/queries/worst-endpoints",
  },
  "GET /v1/status": { kind: "forbidden", path: "/v1/status" },
  "GET /v1/system": { kind: "forbidden", path: "/v1/system" },
  "GET /v1/config": { kind: "forbidden", path: "/v1/config" },
  "GET /v1/caller": { kind: "own", path: "/v1/caller" },
  "GET /": { kind: "file", path: "/" },
  "GET /assets/:name": { kind: "file", path: "/assets/none.js" },
  "GET /openapi.json": { kind: "own", path: "/openapi.json" },
  "GET /docs": { kind: "own", path: "/docs" },
};

let ask: Ask;
let registered: readonly string[];
let theirs: Things;
/** The same as administrator of `beta`. */
let asBeta: Ask;

beforeAll(async () => {
  await stack.createAllTopics();
  await migrateFor(stack);
}, LONG);

/** Started in each test, because the fixture stops it after each. */
async function start(): Promise<void> {
  const started = await control.startOwner();
  ({ ask } = started);
  registered = started.routes.map(({ method, url }) => `${method} ${url}`);
  theirs = await theThingsOf(THEIRS);
  const { token } = await made("/v1/keys", {
    name: "admin of beta",
    role: "admin",
    tenantId: "beta",
  });
  asBeta = (what, body, headers) =>
    ask(what, body, { authorization: `Bearer ${token}`, ...headers });
}

/** An endpoint that was paused, a key, an event, and the audit trail of the first two. */
async function theThingsOf(tenantId: string): Promise<Things> {
  const { id } = await made("/v1/endpoints", {
    tenantId,
    url: "https://example.com/hook",
    eventTypes: ["*"],
  });
  await ask(`POST /v1/endpoints/${id}/pause`);
  const { id: keyId } = await made("/v1/keys", {
    name: `reader of ${tenantId}`,
    role: "reader",
    tenantId,
  });
  const event = `evt_of_${tenantId}`;
  await record("events", {
    tenant_id: tenantId,
    event_id: event,
    event_type: "order.paid",
    received_at: now(),
    decided_at: now(),
    decision: "no_match",
    source_topic: "postrider.events",
    part: 0,
    parts: 1,
  });
  for (const [subject, subjectId] of [
    ["endpoint", id],
    ["key", keyId],
  ])
    await record("audit", {
      tenant_id: tenantId,
      at: now(),
      actor: "admin",
      subject,
      subject_id: subjectId,
      action: "created",
    });
  const { id: replayId } = await made("/v1/replays", {
    tenantId,
    reasons: ["exhausted"],
    confirm: true,
  });
  const type = `order.of.${tenantId}`;
  await ask("POST /v1/event-types", { name: type, tenantId });
  await ask(`PUT /v1/event-type-policies/${tenantId}`, { level: "known" });
  return {
    endpoint: id,
    key: keyId,
    event,
    replay: replayId,
    eventType: type,
  };
}

/** A row as the recorder would write it, which does not run here. */
async function record(table: string, row: object): Promise<void> {
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.${table} SETTINGS async_insert=0 FORMAT JSONEachRow\n${JSON.stringify(row)}`,
  );
}

async function made(
  path: string,
  body: object,
): Promise<{ id: string; token: string }> {
  const answer = await ask<{ id: string; token: string }>(`POST ${path}`, body);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}

test(
  "every route has a case, and no case is without a route",
  async () => {
    await start();

    expect(registered.filter((route) => !route.startsWith("HEAD "))).toEqual(
      expect.arrayContaining(Object.keys(CASES)),
    );
    const unlisted = registered.filter(
      (route) => !(route.replace(/^HEAD /, "GET ") in CASES),
    );
    expect(unlisted).toEqual([]);
  },
  LONG,
);

test("the routes that are refused here because they read rows are those that are asked as a tenant that is served", () => {
  const refused = Object.entries(CASES)
    .filter(([, { kind }]) => kind === "unserved")
    .map(([route]) => route);

  expect(refused.toSorted()).toEqual(ROUTES_OF_ROWS);
});

test(
  "an administrator of one tenant gets nothing of another tenant from any route, not even that it exists",
  async () => {
    await start();
    const before = await stateOf(theirs);

    for (const route of registered) {
      const method = route.split(" ")[0]!;
      const one = CASES[route.replace(/^HEAD /, "GET ")];
      if (one === undefined) throw new Error(`no case for ${route}`);
      expect({ route, ...(await outcomeOf(method, one)) }).toEqual({
        route,
        ok: true,
      });
    }

    expect(await stateOf(theirs)).toEqual(before);
  },
  LONG,
);

/** `ok`, or what was learnt. */
async function outcomeOf(method: string, one: Case): Promise<object> {
  switch (one.kind) {
    case "same": {
      const asked = [theirs, NOTHING].map((of) =>
        asBeta<unknown>(`${method} ${one.path(of)}`, bodyFor(method, one), {
          "if-match": method === "GET" ? "*" : '"7"',
        }),
      );
      const [about, nothing] = await Promise.all(asked);
      const found = [shown(about!, theirs), shown(nothing!, NOTHING)];
      const isSame =
        JSON.stringify(found[0]) === JSON.stringify(found[1]) &&
        about!.status === 404;
      return isSame ? { ok: true } : { ok: false, found };
    }
    case "own": {
      const answer = await asBeta<unknown>(`${method} ${one.path}`);
      const named = await Promise.all(
        ["tenantId", "tenant"].map((parameter) =>
          asBeta<unknown>(`${method} ${one.path}?${parameter}=${THEIRS}`),
        ),
      );
      const all = named.map(({ text }) => text).join();
      const isFine =
        answer.status === 200 &&
        !answer.text.includes(THEIRS) &&
        (one.isOfTenants === undefined || named[0]?.status === 400);
      return isFine && Object.values(theirs).every((id) => !all.includes(id))
        ? { ok: true }
        : { ok: false, answer: answer.text, all };
    }
    case "creates": {
      const answer = await asBeta(`${method} ${one.path}`, {
        ...one.body,
        tenantId: THEIRS,
      });
      const isRefused =
        answer.status === 400 && answer.body.errors?.[0]?.field === "tenantId";
      return isRefused ? { ok: true } : { ok: false, answer: answer.text };
    }
    case "unserved": {
      const asked = [theirs, NOTHING].map((of) =>
        asBeta<unknown>(`${method} ${one.path(of)}`),
      );
      const [about, nothing] = await Promise.all(asked);
      const found = [shown(about!, theirs), shown(nothing!, NOTHING)];
      const isSame =
        JSON.stringify(found[0]) === JSON.stringify(found[1]) &&
        about!.status === 503;
      return isSame ? { ok: true } : { ok: false, found };
    }
    case "file": {
      const answer = await asBeta<unknown>(`${method} ${one.path}`);
      return [200, 404].includes(answer.status) && !answer.text.includes(THEIRS)
        ? { ok: true }
        : { ok: false, answer: answer.text };
    }
    case "forbidden": {
      const answer = await asBeta<unknown>(
        `${method} ${one.path}`,
        bodyFor(method, one),
      );
      return answer.status === 403
        ? { ok: true }
        : { ok: false, answer: answer.text };
    }
  }
}

function bodyFor(method: string, one: { readonly body?: unknown }): unknown {
  return method === "GET" || method === "HEAD" ? undefined : one.body;
}

/** The answer without what differs between any two requests, and without the ids that were asked for. */
function shown({ status, text, headers }: Reply<unknown>, of: Things): object {
  const ids = new RegExp(Object.values(of).join("|"), "g");
  return {
    status,
    text: text.replaceAll(ids, "ID").replace(/"requestId":"[^"]*"/, ""),
    names: [...headers.keys()].filter((name) => name !== "x-request-id"),
  };
}

/** All of `zebra` that a request could have changed. */
async function stateOf({ endpoint: id, key: keyId }: Things): Promise<unknown> {
  const asked = [`/v1/endpoints/${id}`, `/v1/endpoints/${id}/resume`].concat(
    `/v1/keys/${keyId}`,
  );
  return await Promise.all(
    asked.map(async (path) => (await ask<unknown>(`GET ${path}`)).body),
  );
}

test(
  "replays are neither counted nor made while tenants are not served, and why is in the log alone",
  async () => {
    await start();

    for (const [path, body] of [
      ["/v1/replays/preview", {}],
      ["/v1/replays", { confirm: true }],
      ["/v1/replays/preview", { deliveryIds: ["dlv_1"] }],
    ] as const) {
      const answer = await asBeta(`POST ${path}`, body);
      expect([answer.status, answer.body.type]).toEqual([
        503,
        expect.stringContaining("tenants-not-served"),
      ]);
      expect(answer.text).not.toMatch(/CLICKHOUSE_|migrate/);
    }
    const { text } = await asBeta<unknown>("GET /v1/replays");
    expect(JSON.parse(text)).toMatchObject({ replays: [] });
  },
  LONG,
);

test(
  "endpoints and keys of one's own tenant are there, and only these",
  async () => {
    await start();
    const beta = await theThingsOf("beta");

    const endpoints = await asBeta<{ endpoints: { id: string }[] }>(
      "GET /v1/endpoints",
    );
    const keys = await asBeta<{ keys: { tenantId: string }[] }>("GET /v1/keys");

    expect(endpoints.body.endpoints.map(({ id }) => id)).toContain(
      beta.endpoint,
    );
    expect(endpoints.text).not.toContain(THEIRS);
    expect(new Set(keys.body.keys.map(({ tenantId }) => tenantId))).toEqual(
      new Set(["beta"]),
    );
  },
  LONG,
);

test(
  "what an endpoint of another tenant would become is not told",
  async () => {
    await start();
    const body = { url: "https://example.com/hook", eventTypes: ["*"] };

    const answers = await Promise.all(
      [theirs, NOTHING].map(async (of) => {
        const path = `/v1/endpoints/validate?id=${of.endpoint}`;
        return shown(await asBeta<unknown>(`POST ${path}`, body), of);
      }),
    );

    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ status: 404 });
  },
  LONG,
);

test(
  "a creation without a tenant is one of the caller's tenant",
  async () => {
    await start();

    const endpoint = await asBeta("POST /v1/endpoints", {
      url: "https://example.com/hook",
      eventTypes: ["*"],
    });
    const key = await asBeta("POST /v1/keys", { name: "x", role: "reader" });

    expect([endpoint.status, key.status]).toEqual([201, 201]);
    expect([endpoint.body.tenantId, key.body.tenantId]).toEqual([
      "beta",
      "beta",
    ]);
  },
  LONG,
);

function now(): string {
  return new Date().toISOString().replace("T", " ").replace("Z", "");
}
