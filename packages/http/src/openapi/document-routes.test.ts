/** An API's own description: who may read it, and what it can do to a reader's browser. */
import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import { testEffects } from "@postrider/testkit";
import { z } from "zod";
import { READ } from "../access.ts";
import { createApiServer } from "../api-server.ts";
import { KnownKeys } from "../known-keys.ts";
import { described } from "../operation.ts";

const KEY = "a-key-of-the-test";
const HOSTILE = '<script>alert("x")</script> & `a<b`';

function anApi() {
  return createApiServer({
    ...testEffects(),
    name: "test",
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    maxBodyBytes: 1_000,
    description: {
      title: HOSTILE,
      description: HOSTILE,
      tags: { things: HOSTILE },
    },
    routes: [
      (app) => {
        const query = z.strictObject({
          limit: z.coerce.number().int().max(10).default(5),
          name: z.string(),
        });
        app.get(
          "/v1/things/:id",
          described(READ, {
            id: "getThing",
            tag: "things",
            summary: HOSTILE,
            query,
            answers: { 200: { description: "It", body: z.string() } },
            problems: { odd: [409, "It is odd"] },
          }),
          async () => "thing",
        );
        app.get("/v1/undescribed", READ, async () => "other");
      },
    ],
    onAnswered: () => undefined,
  });
}

test.each(["/openapi.json", "/docs"])(
  "%s is answered without a key, and with a wrong one",
  async (url) => {
    const { app } = anApi();

    for (const headers of [{}, { authorization: "Bearer wrong" }]) {
      const answer = await app.inject({ url, headers });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers["x-request-id"]).toBeDefined();
    }
  },
);

test.each([
  ["GET", "/v1/things/1?name=x"],
  ["GET", "/openapi.yaml"],
  ["GET", "/openapi.json/"],
  ["POST", "/openapi.json"],
  ["GET", "/docs/x"],
  ["DELETE", "/docs"],
] as const)("%s %s still needs a key", async (method, url) => {
  const { app } = anApi();

  expect((await app.inject({ method, url })).statusCode).toBe(401);
});

test("the page loads and runs nothing, and shows every text as text", async () => {
  const { app } = anApi();

  const { headers, body } = await app.inject({ url: "/docs" });

  const policy = String(headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|script-src/);
  const [, style = ""] = /<style>(.*?)<\/style>/s.exec(body) ?? [];
  const digest = createHash("sha256").update(style).digest("base64");
  expect(policy).toContain(`style-src 'sha256-${digest}'`);
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(body).not.toMatch(/<script|<img|<link|src=|https?:\/\//i);
  expect(body).toContain("&lt;script&gt;alert(&quot;x&quot;)");
  expect(body).toContain("<code>/v1/things/{id}</code>");
});

test("a route is described by the schemas that it gives, with the problems of its access", async () => {
  const { app } = anApi();

  const { paths, components } = (
    await app.inject({ url: "/openapi.json" })
  ).json<{
    paths: Record<string, Record<string, object>>;
    components: { responses: object };
  }>();

  expect(Object.keys(paths)).toEqual([
    "/v1/things/{id}",
    "/openapi.json",
    "/docs",
  ]);
  expect(paths["/v1/things/{id}"]?.["get"]).toMatchObject({
    operationId: "getThing",
    parameters: [
      { name: "id", in: "path", required: true, schema: { type: "string" } },
      {
        name: "limit",
        in: "query",
        required: false,
        schema: { type: "integer", maximum: 10 },
      },
      { name: "name", in: "query", required: true },
    ],
    responses: {
      200: { content: { "application/json": { schema: { type: "string" } } } },
      400: {},
      401: {},
      403: {},
      404: {},
      409: { $ref: "#/components/responses/409.odd" },
      429: {},
      503: {},
    },
  });
  expect(components.responses).toMatchObject({
    "409.odd": {
      description: "It is odd",
      content: {
        "application/problem+json": {
          schema: {
            allOf: [
              { $ref: "#/components/schemas/Problem" },
              { properties: { type: { enum: ["urn:postrider:problem:odd"] } } },
            ],
          },
        },
      },
    },
  });
});
