import { expect, test } from "@jest/globals";
import { ApiProblem } from "./api-problem.ts";
import { askWith } from "./ask.ts";

/** A `fetch` that keeps what it was asked, and answers one thing. */
function answering(status: number, body: string) {
  const asked: { url: string; init: RequestInit }[] = [];
  const send = (async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return new Response(status === 204 ? null : body, { status });
  }) as typeof fetch; // only called so
  return { asked, ask: askWith("prk_1", send) };
}

test("the key is in the header alone, and no cookie goes along", async () => {
  const { asked, ask } = answering(200, "{}");

  await ask("v1/deliveries", { query: { status: "failed" } });

  const [{ url, init }] = asked as [(typeof asked)[0]];
  expect(url).toBe("v1/deliveries?status=failed");
  expect(init).toMatchObject({
    method: "GET",
    headers: { authorization: "Bearer prk_1" },
    credentials: "omit",
    redirect: "error",
  });
});

test("what is not set is not asked for, and what is gets escaped", async () => {
  const { asked, ask } = answering(200, "{}");

  await ask("v1/deliveries", {
    query: { status: undefined, text: "", eventId: "a&b=ü" },
  });

  expect(asked[0]?.url).toBe("v1/deliveries?eventId=a%26b%3D%C3%BC");
});

test("a body is sent as JSON, with the reason as bytes of UTF-8", async () => {
  const { asked, ask } = answering(201, "{}");

  await ask("v1/replays", { body: { deliveryIds: ["d"] }, why: "für Ü" });

  expect(asked[0]?.init).toMatchObject({
    method: "POST",
    body: '{"deliveryIds":["d"]}',
    headers: { "content-type": "application/json" },
  });
  const headers = asked[0]?.init.headers as Record<string, string>;
  expect(Buffer.from(headers["x-audit-reason"]!, "latin1").toString()).toBe(
    "für Ü",
  );
});

test("a change names the version that it is meant for, and 204 answers nothing", async () => {
  const { asked, ask } = answering(204, "");

  await ask("v1/endpoints/ep_1", { method: "DELETE", ifMatch: 3 });

  expect(asked[0]?.init).toMatchObject({
    method: "DELETE",
    headers: { "if-match": '"3"' },
  });
});

test("a problem document becomes an error with its words", async () => {
  const { ask } = answering(
    403,
    JSON.stringify({
      title: "The key may not do this",
      detail: "This needs a key with the role admin.",
      errors: [{ field: "authorization", rule: "role", message: "must…" }],
      requestId: "r-1",
    }),
  );

  const error = await ask("v1/replays").catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(ApiProblem);
  expect(error).toMatchObject({
    status: 403,
    title: "The key may not do this",
    message: "This needs a key with the role admin.",
    errors: [{ field: "authorization", message: "must…" }],
    requestId: "r-1",
    isPassing: false,
    nextStep: expect.stringContaining("npx postrider keys create"),
  });
});

test.each([
  ["a proxy's page", 502, "<h1>Bad gateway</h1>", true],
  ["a text that is no object", 500, '"x"', true],
  ["errors that are none", 400, '{"errors":[null,{"field":1}]}', false],
])("%s is no problem document, and still is told", async (_, ...given) => {
  const [status, body, isPassing] = given;
  const { ask } = answering(status, body);

  await expect(ask("v1/x")).rejects.toMatchObject({
    status,
    title: `The answer is ${status}`,
    errors: [],
    isPassing,
  });
});

test("no answer at all is a problem of status 0, which may pass", async () => {
  const ask = askWith("k", () => Promise.reject(new TypeError("failed")));

  await expect(ask("v1/x")).rejects.toMatchObject({
    status: 0,
    isPassing: true,
  });
});

test("an answer that breaks off is a problem of status 0, too, and no fault of the page", async () => {
  const body = new ReadableStream({
    start: (controller) => controller.error(new TypeError("network error")),
  });
  const ask = askWith("k", async () => new Response(body));

  await expect(ask("v1/x")).rejects.toMatchObject({
    name: "ApiProblem",
    status: 0,
    isPassing: true,
  });
});

test("a request that was given up is no problem", async () => {
  const given = new AbortController();
  given.abort(new Error("left the page"));
  const ask = askWith("k", () => Promise.reject(given.signal.reason as Error));

  await expect(ask("v1/x", { signal: given.signal })).rejects.toThrow(
    "left the page",
  );
});
