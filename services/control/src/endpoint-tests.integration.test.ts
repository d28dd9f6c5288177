/** Judging and testing endpoints, on a real Kafka: what control says in advance, and what a test writes. */
import { beforeAll, expect, test } from "@jest/globals";
import type { AuditEntry, Delivery } from "@postrider/core";
import type { ProblemDocument } from "@postrider/http";
import { topicName } from "@postrider/messaging";
import { composeLifecycle } from "@postrider/runtime";
import { readTopics, useStack } from "@postrider/testkit";
import { accessTo, useControl } from "../fixtures/running-control.ts";
import type { EndpointView } from "./endpoints/endpoint.ts";
import type { EndpointValidation } from "./endpoints/endpoint-validation.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;

beforeAll(async () => {
  await stack.createAllTopics();
});

let made = 0;
const aCreation = (more: Readonly<Record<string, unknown>> = {}) => ({
  tenantId: "acme",
  url: "https://example.com/hook",
  eventTypes: ["order.*"],
  externalId: `own_${(made += 1)}`,
  ...more,
});

interface TestSend {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly webhookId: string;
}

/** What the topics `deliveries` and `audit` have of an endpoint. */
async function writtenOf(id: string) {
  const { parts, schemas, kafka, effects } = accessTo(stack);
  const whole = composeLifecycle(parts, effects);
  await whole.start();
  try {
    const valuesOf = async <T>(name: "deliveries" | "audit"): Promise<T[]> =>
      (await readTopics(kafka, [topicName(stack.prefix, name)]))
        .filter(({ key }) => String(key) === id)
        .map((raw) => {
          const decoded = schemas.decoderOf(name)(raw);
          if (decoded.kind !== "decoded") throw new Error(decoded.kind);
          return decoded.value as T;
        });
    return {
      deliveries: await valuesOf<Delivery>("deliveries"),
      audit: await valuesOf<AuditEntry>("audit"),
    };
  } finally {
    await whole.stop(Date.now() + 10_000);
  }
}

test(
  "a test is one delivery to that endpoint alone, and who asked for it is in the audit trail",
  async () => {
    const { ask } = await control.startOwner();
    const { body: endpoint } = await ask("POST /v1/endpoints", aCreation());
    const { body: other } = await ask("POST /v1/endpoints", aCreation());

    const sent = await ask<TestSend>(
      `POST /v1/endpoints/${endpoint.id}/test`,
      undefined,
      { "x-audit-reason": "their new server" },
    );

    const { deliveryId, eventId } = sent.body;
    expect(sent.status).toBe(202);
    expect(sent.headers.get("location")).toBe(`/v1/deliveries/${deliveryId}`);
    const { deliveries, audit } = await writtenOf(endpoint.id);
    expect(deliveries).toMatchObject([
      {
        deliveryId,
        eventId,
        tenantId: "acme",
        eventType: "postrider.test",
        trigger: "test",
        attemptNumber: 1,
        endpointVersion: 1,
        inline: null,
      },
    ]);
    expect(audit.at(-1)).toMatchObject({
      action: "tested",
      actor: "admin",
      why: "their new server",
      detail: JSON.stringify({ deliveryId, eventId }),
    });
    expect((await writtenOf(other.id)).deliveries).toEqual([]);
    const after = await ask(`GET /v1/endpoints/${endpoint.id}`);
    expect(after.body.version).toBe(1);
  },
  LONG,
);

test.each([
  ["pause", "Resume it first."],
  ["disable", "Enable it first."],
])(
  "an endpoint after %s is not tested, and nothing is written",
  async (route, next) => {
    const { ask } = await control.startOwner();
    const { body: endpoint } = await ask("POST /v1/endpoints", aCreation());
    await ask(`POST /v1/endpoints/${endpoint.id}/${route}`);

    const refused = await ask<ProblemDocument>(
      `POST /v1/endpoints/${endpoint.id}/test`,
    );

    expect(refused.status).toBe(409);
    expect(refused.body.errors).toMatchObject([{ field: "state" }]);
    expect(refused.body.detail).toContain(next);
    const { deliveries, audit } = await writtenOf(endpoint.id);
    expect(deliveries).toEqual([]);
    expect(audit.map(({ action }) => action)).not.toContain("tested");
  },
  LONG,
);

test(
  "what would be refused is told all at once, and nothing is made",
  async () => {
    const { ask } = await control.startOwner();
    const { body: first } = await ask("POST /v1/endpoints", aCreation());
    const judge = async (body: object, id?: string) =>
      await ask<EndpointValidation>(
        `POST /v1/endpoints/validate${id === undefined ? "" : `?id=${id}`}`,
        body,
      );

    const fine = await judge(aCreation());
    const wrong = await judge({
      ...aCreation({ externalId: first.externalId }),
      url: "https://10.0.0.1/",
      timeoutMs: 5,
    });
    const { body: list } = await ask<{ endpoints: EndpointView[] }>(
      "GET /v1/endpoints?limit=1000",
    );

    expect(fine.body).toEqual({ isValid: true, errors: [], changes: null });
    expect(wrong.status).toBe(200);
    expect(wrong.body.isValid).toBe(false);
    expect(wrong.body.errors.map(({ field }) => field).sort()).toEqual([
      "externalId",
      "timeoutMs",
      "url",
    ]);
    expect(
      list.endpoints.filter(({ url }) => url === "https://10.0.0.1/"),
    ).toEqual([]);
  },
  LONG,
);

test(
  "what would change is told by field, headers by their stored values, and secrets never",
  async () => {
    const { ask } = await control.startOwner();
    const creation = aCreation({
      timeoutMs: 5_000,
      headers: { authorization: "Bearer hush", "x-team": "billing" },
      secret: "hush-secret",
    });
    const { body: endpoint } = await ask("POST /v1/endpoints", creation);
    await ask(`POST /v1/endpoints/${endpoint.id}/pause`);
    const judge = async (body: object) =>
      await ask<EndpointValidation>(
        `POST /v1/endpoints/validate?id=${endpoint.id}`,
        body,
      );

    const same = await judge(creation);
    const other = await judge({
      ...creation,
      timeoutMs: undefined,
      headers: { authorization: "Bearer hush-2" },
    });
    const moved = await judge({ ...creation, tenantId: "beta" });

    expect(same.body).toEqual({ isValid: true, errors: [], changes: [] });
    expect(other.body.changes).toEqual([
      { field: "timeoutMs", from: 5000, to: 15000 },
      {
        field: "headers.authorization",
        from: "[redacted]",
        to: "[redacted]",
      },
      { field: "headers.x-team", from: "billing", to: null },
    ]);
    expect(moved.body.errors).toMatchObject([{ field: "tenantId" }]);
    for (const { text } of [same, other, moved])
      expect(text).not.toContain("hush");
    const after = await ask(`GET /v1/endpoints/${endpoint.id}`);
    expect(after.body).toMatchObject({ version: 2, state: "paused" });
  },
  LONG,
);

test(
  "a list is narrowed by state, type and text",
  async () => {
    const { ask } = await control.startOwner();
    const tenantId = "lists";
    const create = async (more: object) =>
      (await ask("POST /v1/endpoints", aCreation({ tenantId, ...more }))).body;
    const orders = await create({ eventTypes: ["order.*"] });
    const all = await create({ eventTypes: ["*"], description: "For CRM" });
    await ask(`POST /v1/endpoints/${all.id}/disable`);
    const found = async (query: string): Promise<string[]> => {
      const { body } = await ask<{ endpoints: EndpointView[] }>(
        `GET /v1/endpoints?tenantId=${tenantId}&${query}`,
      );
      return body.endpoints.map(({ id }) => id);
    };

    expect(await found("state=enabled")).toEqual([orders.id]);
    expect(await found("state=disabled")).toEqual([all.id]);
    expect(await found("eventType=order.paid")).toEqual([orders.id, all.id]);
    expect(await found("eventType=user.created")).toEqual([all.id]);
    expect(await found("eventType=order.*")).toEqual([orders.id]);
    expect(await found("text=for%20crm")).toEqual([all.id]);
    expect(await found(`text=${orders.id}`)).toEqual([orders.id]);
    expect((await ask("GET /v1/endpoints?state=on")).status).toBe(400);
  },
  LONG,
);
