import { expect, test } from "@jest/globals";
import { eventIdOfKey, type EventRules } from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import {
  byteOrderMark,
  jsonSpace,
  jsonText,
} from "@postrider/testkit/json-text";
import fc from "fast-check";
import { readRequest } from "./read-request.ts";

const rules: EventRules = {
  maxPayloadBytes: 1_000,
  url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
  inline: { kind: "allow" },
};

const event = { id: "e1", type: "order.paid", tenantId: "acme", payload: 1 };

const read = (
  body: unknown,
  idempotencyKey?: string,
  tenantId: string | null = null,
) =>
  readRequest(
    {
      body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
      tenantId,
      idempotencyKey,
      traceparent: undefined,
      tracestate: undefined,
    },
    rules,
  );

const problemsOf = (result: ReturnType<typeof read>) =>
  result.kind === "refused"
    ? result.problems.map(({ field, rule }) => `${field}: ${rule}`)
    : [];

test("one event and several are read, payloads byte for byte", () => {
  expect(read(event)).toMatchObject({ kind: "events", events: [{ id: "e1" }] });

  const several = read(
    `{"events":[{"id":"e1","type":"a","tenantId":"t","payload":12345678901234567890},{"id":"e2","type":"a","tenantId":"t","payload": [1.0] }]}`,
  );

  expect(several).toMatchObject({
    kind: "events",
    events: [
      { payload: Buffer.from("12345678901234567890") },
      { payload: Buffer.from("[1.0]") },
    ],
  });
});

test("any JSON that is uploaded as a payload is read byte for byte, alone and in a batch", () => {
  const payload = jsonText.filter(
    (text) => Buffer.byteLength(text) <= rules.maxPayloadBytes,
  );
  const payloadsOf = (body: string): string[] => {
    const result = read(body);
    if (result.kind !== "events") throw new Error(JSON.stringify(result));
    return result.events.map((one) => String(Buffer.from(one.payload)));
  };
  fc.assert(
    fc.property(
      byteOrderMark,
      jsonSpace,
      fc.array(payload, { minLength: 1, maxLength: 3 }),
      (mark, space, payloads) => {
        const envelopes = payloads.map(
          (text, at) =>
            `{"payload":${space}${text},"id":"e${at}","type":"a","tenantId":"t"}`,
        );
        const all = `{"events":[${envelopes.join(`,${space}`)}]}`;

        expect(payloadsOf(`${mark}${envelopes[0]}${space}`)).toEqual(
          payloads.slice(0, 1),
        );
        expect(payloadsOf(`${mark}${all}`)).toEqual(payloads);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  [{ ...event, id: undefined }, ["id: required"]],
  [{ ...event, tenantId: undefined }, ["tenantId: required"]],
  [{ ...event, payload: undefined }, ["payload: required"]],
  [
    {
      ...event,
      destination: { url: "https://a.example", secret: "v1,whsec_aaaa" },
    },
    ["destination.secret: form"],
  ],
  [
    { ...event, destination: {} },
    ["destination.url: required", "destination.secret: required"],
  ],
  [
    {
      events: [
        event,
        { ...event, type: 5 },
        null,
        { ...event, destination: { url: "x", secret: "s" } },
      ],
    },
    [
      "events[1].type: type",
      "events[2]: type",
      "events[3].destination.url: syntax",
    ],
  ],
  [{ events: [] }, ["events: size"]],
  [{ events: Array.from({ length: 1_001 }, () => event) }, ["events: size"]],
  [{ events: "x" }, ["events: array"]],
  ["", ["body: json"]],
  ["[1]", ["body: object"]],
])("%j is refused as a whole", (body, problems) => {
  expect(problemsOf(read(body))).toEqual(problems);
});

const { id: _, ...unnamed } = event;

test("an Idempotency-Key becomes the id of an event that has none", () => {
  const id = eventIdOfKey(sha256Text, "acme", "key-1");

  expect(read(unnamed, "key-1")).toMatchObject({ events: [{ id }] });
  expect(read({ ...unnamed, tenantId: "beta" }, "key-1")).not.toMatchObject({
    events: [{ id }],
  });
});

test("an Idempotency-Key names each event of a batch by its place, and the first as it names a single one", () => {
  const ids = (body: unknown) => {
    const result = read(body, "key-1");
    return result.kind === "events" ? result.events.map(({ id }) => id) : [];
  };

  const batch = ids({ events: [unnamed, unnamed, unnamed] });

  expect(new Set(batch).size).toBe(3);
  expect(ids({ events: [unnamed, unnamed, unnamed] })).toEqual(batch);
  expect(ids(unnamed)).toEqual(batch.slice(0, 1));
});

test.each([
  ["", unnamed, ["idempotency-key: characters"]],
  ["a b", unnamed, ["idempotency-key: characters"]],
  ["a".repeat(257), unnamed, ["idempotency-key: characters"]],
  ["a", { events: [unnamed, event] }, ["events[1].id: no_id"]],
  ["a", event, ["idempotency-key: no_id"]],
  ["a", { ...event, id: 5 }, ["id: type", "idempotency-key: no_id"]],
  ["a", { ...unnamed, tenantId: "!" }, ["tenantId: pattern"]],
])("the Idempotency-Key %j is refused (%#)", (key, body, problems) => {
  expect(problemsOf(read(body, key))).toEqual(problems);
});

test.each([
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true],
  ["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false],
  ["whatever a proxy makes", false],
])(
  "a request's traceparent (%s) is taken over where it is one, and refuses nothing otherwise",
  (traceparent, isTaken) => {
    const body = Buffer.from(JSON.stringify(event));

    const read = readRequest(
      {
        body,
        tenantId: null,
        idempotencyKey: undefined,
        traceparent,
        tracestate: "a=1",
      },
      rules,
    );

    expect(read).toMatchObject({
      kind: "events",
      events: [
        isTaken
          ? { traceparent, tracestate: "a=1" }
          : { traceparent: null, tracestate: null },
      ],
    });
  },
);

test("an event with a traceparent of its own gets nothing of the request's", () => {
  const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const body = Buffer.from(JSON.stringify({ ...event, traceparent: own }));
  const traceparent = own.replace("0af7", "1af7");

  const read = readRequest(
    {
      body,
      tenantId: null,
      idempotencyKey: undefined,
      traceparent,
      tracestate: "a=1",
    },
    rules,
  );

  expect(read).toMatchObject({
    events: [{ traceparent: own, tracestate: null }],
  });
});

test("a request of many broken events is refused with 20 problems and the count of the others", () => {
  const result = read({ events: Array.from({ length: 1_000 }, () => ({})) });

  if (result.kind !== "refused") throw new Error(result.kind);
  expect(result.problems).toHaveLength(21);
  expect(result.problems[19]?.field).toMatch(/^events\[\d\]\./);
  // of each event the id, the type, the tenant and the payload are missing
  expect(result.problems.at(-1)).toMatchObject({ count: 4_000 - 20 });
});

test("with a key's tenant an event may leave its tenant out, also in a batch", () => {
  const { tenantId: _, ...without } = event;

  const one = read(without, undefined, "acme");
  const several = read(
    { events: [without, { ...event, id: "e2" }] },
    undefined,
    "acme",
  );

  expect(one).toMatchObject({ events: [{ tenantId: "acme" }] });
  expect(several).toMatchObject({
    events: [{ tenantId: "acme" }, { tenantId: "acme" }],
  });
});

test.each(["beta", "no tenant's name", ""])(
  "with a key's tenant an event of the tenant %j refuses the request, and names the field, also in a batch",
  (tenantId) => {
    const other = { ...event, tenantId };

    expect(problemsOf(read(other, undefined, "acme"))).toEqual([
      "tenantId: own",
    ]);
    expect(
      problemsOf(read({ events: [event, other] }, undefined, "acme")),
    ).toEqual(["events[1].tenantId: own"]);
  },
);

test.each([
  [String.raw`"tenantId":"acme","tenantId":"beta"`, "own"],
  [String.raw`"tenantId":"acme","\u0074enantId":"beta"`, "own"],
  [String.raw`"tenantId":"beta","\u0074enantId":"acme"`, "acme"],
  [String.raw`"tenantId":"\u0061cme"`, "acme"],
  [String.raw`"TenantId":"beta"`, "acme"],
])(
  "with a key's tenant, however %s is spelt, the event that is accepted is of that tenant",
  (spelt, expected) => {
    const result = read(
      `{"id":"e1","type":"a.b",${spelt},"payload":{}}`,
      undefined,
      "acme",
    );

    const found =
      result.kind === "refused"
        ? result.problems.map(({ rule }) => rule)
        : result.events.map(({ tenantId }) => tenantId);
    expect(found).toEqual([expected]);
  },
);

test("a tenant that is no text is a wrong type, with a key's tenant, too", () => {
  const result = read({ ...event, tenantId: 7 }, undefined, "acme");

  expect(problemsOf(result)).toEqual(["tenantId: type"]);
});

test("an Idempotency-Key gives the id that it gives with the tenant spelt out", () => {
  const { id: _id, tenantId: _tenant, ...without } = event;

  const result = read(without, "k-1", "acme");

  expect(result).toMatchObject({
    events: [{ id: eventIdOfKey(sha256Text, "acme", "k-1") }],
  });
});
