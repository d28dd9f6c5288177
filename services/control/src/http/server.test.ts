import { expect, test } from "@jest/globals";
import { testEffects } from "@postrider/testkit";
import { ControlProblem } from "./problem.ts";
import { createServer } from "./server.ts";
import { KnownKeys, type Routes } from "@postrider/http";

const KEY = "an-admin-key-of-the-test";
const AUTHORIZED = { authorization: `Bearer ${KEY}` };

const routes: Routes = (app) => {
  app.get("/thing", async () => ({ ok: true }));
  app.post("/thing", async ({ body }) => ({ body: body ?? null }));
  app.get("/refused", async () => {
    throw new ControlProblem("not_owner", "try again", {
      headers: { "retry-after": "1" },
    });
  });
  app.get("/broken", async () => {
    throw new Error("connection to 10.0.0.7 with password hunter2 failed");
  });
};

function anApp() {
  const effects = testEffects();
  const server = createServer({
    ...effects,
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [routes],
  });
  return { app: server.app, effects };
}

test.each([
  ["no header", {}],
  ["another key", { authorization: "Bearer another" }],
  ["another scheme", { authorization: `Basic ${KEY}` }],
  ["a key and more", { authorization: `Bearer ${KEY}x` }],
  ["nothing but the scheme", { authorization: "Bearer " }],
])("%s gets 401 on every route, known or not", async (_what, headers) => {
  const { app } = anApp();
  for (const url of ["/thing", "/nothing"]) {
    const answer = await app.inject({ url, headers });

    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toContain("Bearer");
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({
      type: "urn:postrider:problem:unauthenticated",
      status: 401,
      errors: [{ field: "authorization", rule: "bearer" }],
    });
  }
});

test("the key is accepted with any spelling of the scheme's case", async () => {
  const { app } = anApp();

  const answer = await app.inject({
    url: "/thing",
    headers: { authorization: `bearer ${KEY}` },
  });

  expect(answer.statusCode).toBe(200);
});

test.each([
  [404, { url: "/nothing" }],
  [404, { url: "/thing", method: "DELETE" as const }],
  [400, { url: "/%E0%A4%A" }],
  [503, { url: "/refused" }],
  [500, { url: "/broken" }],
  [413, { method: "POST" as const, payload: `"${"a".repeat(300_000)}"` }],
  [415, { method: "POST" as const, payload: "a=b", type: "text/plain" }],
  [400, { method: "POST" as const, payload: "{" }],
])(
  "a %i is a problem document that names the request",
  async (status, asked) => {
    const { type, ...request } = {
      url: "/thing",
      type: "application/json",
      ...asked,
    };
    const { app } = anApp();

    const answer = await app.inject({
      ...request,
      headers: {
        ...AUTHORIZED,
        "x-request-id": "req-7",
        ...("payload" in request ? { "content-type": type } : {}),
      },
    });

    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({ status, errors: expect.any(Array) });
    expect(answer.json()).toMatchObject({ requestId: "req-7" });
    expect(answer.headers["x-request-id"]).toBe("req-7");
  },
);

test.each([
  [200, "/thing", AUTHORIZED],
  [401, "/thing", {}],
  [404, "/nothing", AUTHORIZED],
  [400, "/%E0%A4%A", AUTHORIZED],
  [500, "/broken", AUTHORIZED],
])(
  "no browser guesses what kind of text a %i is",
  async (status, url, headers) => {
    const answer = await anApp().app.inject({ url, headers });

    expect([status, answer.headers["x-content-type-options"]]).toEqual([
      answer.statusCode,
      "nosniff",
    ]);
  },
);

test("a fault is logged under the request id, and its message is not sent to the caller", async () => {
  const { app, effects } = anApp();

  const answer = await app.inject({ url: "/broken", headers: AUTHORIZED });

  expect(answer.body).not.toContain("hunter2");
  const line = effects.log.lines.find(
    ({ event }) => event === "request.failed",
  );
  expect(line?.fields).toMatchObject({
    requestId: answer.headers["x-request-id"],
  });
});

test("headers of a problem reach the caller", async () => {
  const { app } = anApp();

  const answer = await app.inject({ url: "/refused", headers: AUTHORIZED });

  expect(answer.headers["retry-after"]).toBe("1");
});

test("a field named __proto__ is a field like any other, and changes no prototype", async () => {
  const { app } = anApp();

  const answer = await app.inject({
    url: "/thing",
    method: "POST",
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    payload: '{"__proto__":{"isAdmin":true}}',
  });

  expect(answer.body).toBe('{"body":{"__proto__":{"isAdmin":true}}}');
  expect(Object.hasOwn(Object.prototype, "isAdmin")).toBe(false);
});

test("an empty body with a content type is no body", async () => {
  const { app } = anApp();

  const answer = await app.inject({
    url: "/thing",
    method: "POST",
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    payload: "",
  });

  expect(answer.json()).toEqual({ body: null });
});

test("no log line carries the key, a body or a query string", async () => {
  const { app, effects } = anApp();

  await app.inject({
    url: "/thing?token=tok-123",
    method: "POST",
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    payload: '{"secret":"whsec_abc"}',
  });

  const log = JSON.stringify(effects.log.lines);
  expect(log).toContain("request.answered");
  expect(log).not.toMatch(new RegExp(`${KEY}|tok-123|whsec_abc`));
});
