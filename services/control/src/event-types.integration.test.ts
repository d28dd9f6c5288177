/** The catalogue of event types over the API: what is written, who may, and what the audit trail keeps. */
import { beforeAll, expect, test } from "@jest/globals";
import type { ProblemDocument } from "@postrider/http";
import { useStack } from "@postrider/testkit";
import {
  CONTROL_TOPICS,
  useControl,
  type Reply,
} from "../fixtures/running-control.ts";
import type { EventTypeView } from "./event-types/event-type.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;

beforeAll(async () => {
  await stack.createTopics(...CONTROL_TOPICS);
});

type Answer = EventTypeView & ProblemDocument;

async function started() {
  const { ask, effects } = await control.startOwner();
  const type = (
    what: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply<Answer>> => ask<Answer>(what, body, headers);
  const tokenOf = async (
    role: string,
    tenantId?: string,
  ): Promise<Record<string, string>> => {
    const { body } = await ask<{ token: string }>("POST /v1/keys", {
      name: "test",
      role,
      ...(tenantId === undefined ? {} : { tenantId }),
    });
    return { authorization: `Bearer ${body.token}` };
  };
  return { ask, type, tokenOf, effects };
}

const SCHEMA = { type: "object", required: ["id"] };

test(
  "a type is made, read, changed for its version, and removed",
  async () => {
    const { type, effects } = await started();

    const made = await type("POST /v1/event-types", {
      name: "order.paid",
      description: "paid in full",
      schema: SCHEMA,
      example: { id: 1 },
    });
    const again = await type("POST /v1/event-types", { name: "order.paid" });
    const read = await type("GET /v1/event-types/order.paid");
    const blind = await type("PATCH /v1/event-types/order.paid", {
      description: "x",
    });
    const changed = await type(
      "PATCH /v1/event-types/order.paid",
      { description: "paid" },
      { "if-match": '"1"' },
    );
    const same = await type(
      "PATCH /v1/event-types/order.paid",
      { description: "paid" },
      { "if-match": "*" },
    );
    const late = await type(
      "PATCH /v1/event-types/order.paid",
      { description: "y" },
      { "if-match": '"1"' },
    );
    const unfit = await type(
      "PATCH /v1/event-types/order.paid",
      { schema: { type: "string" } },
      { "if-match": '"2"' },
    );
    const removed = await type("DELETE /v1/event-types/order.paid", undefined, {
      "if-match": '"2"',
    });
    const gone = await type("GET /v1/event-types/order.paid");

    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe("/v1/event-types/order.paid");
    expect(made.body).toMatchObject({
      tenantId: null,
      schema: SCHEMA,
      example: { id: 1 },
      version: 1,
    });
    expect(again.status).toBe(409);
    expect(read.body).toEqual(made.body);
    expect(blind.status).toBe(428);
    expect(changed.body).toMatchObject({ description: "paid", version: 2 });
    expect(changed.headers.get("etag")).toBe('"2"');
    expect(same.body.version).toBe(2);
    expect(late.status).toBe(412);
    expect(unfit.status).toBe(400);
    expect(unfit.body.errors).toMatchObject([
      { field: "example", rule: "schema.type" },
    ]);
    expect(removed.status).toBe(204);
    expect(gone.status).toBe(404);
    const written = effects.log.of("eventType.written");
    expect(written.map(({ fields }) => fields["action"])).toEqual([
      "created",
      "changed",
      "deleted",
    ]);
  },
  LONG,
);

test(
  "what is wrong with a type is told, each field with its rule, and nothing is written",
  async () => {
    const { type } = await started();

    const wrong = await type("POST /v1/event-types", {
      name: "order..paid",
      nme: 1,
    });
    const schema = await type("POST /v1/event-types", {
      name: "order.paid",
      schema: { properties: { a: { $ref: "http://localhost/a" } } },
    });
    const deep = await type("POST /v1/event-types", {
      name: "order.paid",
      example: JSON.parse("[".repeat(2_000) + "]".repeat(2_000)),
    });
    const list = await type("GET /v1/event-types?limit=0");

    expect(wrong.body.errors).toMatchObject([
      { field: "name", rule: "type" },
      { field: "nme", rule: "unknown" },
    ]);
    expect(schema.body.errors).toMatchObject([
      { field: "schema.properties.a.$ref", rule: "reference" },
    ]);
    expect(deep.status).toBe(400);
    expect(deep.body.errors).toMatchObject([
      { field: "example", rule: "max_depth" },
    ]);
    expect(list.body.errors).toMatchObject([{ field: "limit", rule: "min" }]);
    expect((await type("GET /v1/event-types/order.paid")).status).toBe(404);
  },
  LONG,
);

test(
  "a tenant's key sees every tenant's types and its own, and changes its own only",
  async () => {
    const { ask, type, tokenOf } = await started();
    const acme = await tokenOf("admin", "acme");
    const reader = await tokenOf("reader", "acme");
    await type("POST /v1/event-types", { name: "common.type" });
    await type("POST /v1/event-types", { name: "beta.type", tenantId: "beta" });

    const made = await type(
      "POST /v1/event-types",
      { name: "common.type", description: "ours" },
      acme,
    );
    const names = async (headers?: Record<string, string>, query = "") => {
      const { body } = await ask<{ eventTypes: EventTypeView[] }>(
        `GET /v1/event-types${query}`,
        undefined,
        headers,
      );
      return body.eventTypes.map(({ tenantId, name }) => `${tenantId} ${name}`);
    };

    expect(made.headers.get("location")).toBe(
      "/v1/event-types/common.type?tenantId=acme",
    );
    expect(await names(acme)).toEqual(["null common.type", "acme common.type"]);
    expect(await names(reader)).toHaveLength(2);
    expect(await names(undefined, "?tenantId=beta")).toEqual([
      "null common.type",
      "beta beta.type",
    ]);
    const own = await type(
      "GET /v1/event-types/common.type",
      undefined,
      reader,
    );
    expect(own.body.description).toBe("ours");
    expect(
      (await type("GET /v1/event-types/common.type")).body.description,
    ).toBe("");
    const refused: [string, unknown, Record<string, string>, number][] = [
      ["GET /v1/event-types/beta.type", undefined, acme, 404],
      ["GET /v1/event-types/beta.type?tenantId=beta", undefined, acme, 400],
      ["DELETE /v1/event-types/beta.type", undefined, acme, 404],
      ["POST /v1/event-types", { name: "a", tenantId: "beta" }, acme, 400],
      ["POST /v1/event-types", { name: "a" }, reader, 403],
      ["DELETE /v1/event-types/common.type", undefined, reader, 403],
      ["GET /v1/event-type-policies/beta", undefined, acme, 404],
      ["PUT /v1/event-type-policies/beta", { level: "off" }, acme, 404],
      ["PUT /v1/event-type-policies/acme", { level: "off" }, reader, 403],
      ["PUT /v1/event-type-policies/acme", { level: "on" }, acme, 400],
    ];
    for (const [what, body, headers, status] of refused)
      expect([
        what,
        (await ask(what, body, { "if-match": "*", ...headers })).status,
      ]).toEqual([what, status]);
    const theirs = await ask<{ errors: unknown[] }>(
      "GET /v1/event-types/beta.type",
      undefined,
      acme,
    );
    expect(theirs.body.errors).toMatchObject([{ rule: "exists" }]);
    await type("DELETE /v1/event-types/common.type", undefined, {
      ...acme,
      "if-match": "*",
    });
    const common = await type(
      "GET /v1/event-types/common.type",
      undefined,
      acme,
    );
    expect(common.body.tenantId).toBeNull();
    const left = await type("DELETE /v1/event-types/common.type", undefined, {
      ...acme,
      "if-match": "*",
    });
    expect(left.body.detail).toBe(
      "There is no event type common.type of the tenant acme. There is one of every tenant.",
    );
  },
  LONG,
);

test(
  "a tenant's policy is off until it is set, and off again without a record",
  async () => {
    const { ask, effects } = await started();
    const policy = async (what: string, body?: unknown) =>
      (await ask<{ level: string; updatedAt: string | null }>(what, body)).body;

    expect(await policy("GET /v1/event-type-policies/acme")).toEqual({
      tenantId: "acme",
      level: "off",
      updatedAt: null,
    });
    for (const level of ["known", "schema", "schema", "off"])
      expect(
        (await policy("PUT /v1/event-type-policies/acme", { level })).level,
      ).toBe(level);
    await policy("PUT /v1/event-type-policies/beta", { level: "known" });
    const { body } = await ask<{ policies: unknown[] }>(
      "GET /v1/event-type-policies",
    );

    expect(body.policies).toMatchObject([{ tenantId: "beta", level: "known" }]);
    expect(effects.log.of("typePolicy.changed")).toHaveLength(4);
  },
  LONG,
);
