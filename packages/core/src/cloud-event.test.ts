import { expect, test } from "@jest/globals";
import {
  byteOrderMark,
  jsonSpace,
  jsonText,
} from "@postrider/testkit/json-text";
import fc from "fast-check";
import {
  readBinaryCloudEvent,
  readStructuredCloudEvent,
} from "./cloud-event.ts";

const attributes = {
  specversion: "1.0",
  id: "A234-1234",
  source: "/shop/orders",
  type: "com.example.order.paid",
};

function structured(over: Record<string, unknown> = {}, data = "{}") {
  const members = Object.entries({ ...attributes, ...over }).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  return readStructuredCloudEvent(
    Buffer.from(
      `{${members.join(",")}${data === "" ? "" : `,"data":${data}`}}`,
    ),
  );
}

function eventOf(parsed: ReturnType<typeof structured>) {
  if (parsed.kind !== "parsed") throw new Error(parsed.problem.message);
  expect(parsed.problems).toEqual([]);
  const { payload, ...event } = parsed.event;
  return { ...event, payload: Buffer.from(payload).toString() };
}

const problemsOf = (parsed: ReturnType<typeof structured>) =>
  (parsed.kind === "parsed" ? parsed.problems : [parsed.problem]).map(
    ({ field, rule }) => `${field} ${rule}`,
  );

test("structured: data is cut out of the text, and attributes become fields and headers", () => {
  const data = `{ "n":12345678901234567890, "n":1.0 }`;

  expect(
    eventOf(
      structured(
        {
          time: "2026-11-29T10:00:00Z",
          subject: "o 1",
          tenantid: "acme",
          traceparent: "00-1",
          retry: 3,
        },
        data,
      ),
    ),
  ).toEqual({
    id: "/shop/orders:A234-1234",
    type: "com.example.order.paid",
    tenantId: "acme",
    occurredAt: Date.UTC(2026, 10, 29, 10),
    contentType: "application/json",
    payload: data,
    destination: null,
    notBefore: null,
    expiresAt: null,
    headers: {
      "ce-specversion": "1.0",
      "ce-id": "A234-1234",
      "ce-source": "/shop/orders",
      "ce-type": "com.example.order.paid",
      "ce-time": "2026-11-29T10:00:00Z",
      "ce-subject": "o%201",
      "ce-retry": "3",
    },
    traceparent: "00-1",
    tracestate: null,
  });
});

test("structured: any JSON as data is delivered byte for byte, and so are any bytes in base64", () => {
  const around = (mark: string, space: string, member: string): Buffer => {
    const [first, ...others] = Object.entries(attributes).map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    const members = [first, member, ...others].join(`,${space}`);
    return Buffer.from(`${mark}{${members}${space}}`);
  };
  fc.assert(
    fc.property(
      byteOrderMark,
      jsonSpace,
      jsonText,
      fc.uint8Array(),
      (mark, space, data, bytes) => {
        const encoded = Buffer.from(bytes).toString("base64");

        const [asJson, asBase64] = [
          `"data":${space}${data}`,
          `"data_base64":${space}"${encoded}"`,
        ].map((member) =>
          readStructuredCloudEvent(around(mark, space, member)),
        );

        expect(eventOf(asJson!).payload).toBe(data);
        expect(asBase64).toMatchObject({ kind: "parsed", problems: [] });
        if (asBase64?.kind === "parsed")
          expect(Buffer.from(asBase64.event.payload)).toEqual(
            Buffer.from(bytes),
          );
      },
    ),
    { numRuns: 500 },
  );
});

test("structured: data of another content type is its text, and data_base64 its bytes", () => {
  const over = { datacontenttype: "text/plain" };

  expect(eventOf(structured(over, `"grüße"`)).payload).toBe("grüße");
  expect(
    eventOf(structured({ ...over, data_base64: "AP8=" }, "")).payload,
  ).toBe(Buffer.of(0, 255).toString());
  expect(eventOf(structured({}, `"text"`)).payload).toBe(`"text"`);
});

test("structured: an event without data has an empty payload", () => {
  expect(eventOf(structured({}, "")).payload).toBe("");
  expect(eventOf(structured({}, "null")).payload).toBe("null");
});

test("no two pairs of source and id make the same event id", () => {
  const idOf = (source: string, id: string) =>
    eventOf(structured({ source, id })).id;

  expect(idOf("urn:shop", "7")).toBe("urn:shop:7");
  expect(idOf("urn:shop", "a:7")).toBe("urn:shop:a%3A7");
  expect(idOf("urn:shop:a", "7")).toBe("urn:shop:a:7");
  expect(idOf("urn:shop", "a%3A7")).toBe("urn:shop:a%253A7");
});

test("binary: the value is the data, whatever its bytes are", () => {
  const data = Buffer.of(0, 255, 1);

  const parsed = readBinaryCloudEvent(
    new Map([...Object.entries(attributes), ["tenantid", "acme"]]),
    "application/octet-stream",
    data,
  );

  expect(parsed).toMatchObject({
    kind: "parsed",
    problems: [],
    event: {
      id: "/shop/orders:A234-1234",
      tenantId: "acme",
      contentType: "application/octet-stream",
      payload: data,
    },
  });
});

test("a header's value is written as HTTP's binding wants it", () => {
  const { headers } = eventOf(structured({ subject: `Eu"ro € %` }));

  expect(headers["ce-subject"]).toBe("Eu%22ro%20%E2%82%AC%20%25");
});

test.each<[Record<string, unknown>, string, string[]]>([
  [{ id: "" }, "{}", ["id required"]],
  [
    { id: null, source: null, type: null },
    "{}",
    ["id required", "source required", "type required"],
  ],
  [{ specversion: "0.3" }, "{}", ["specversion version"]],
  [{ time: "yesterday" }, "{}", ["time time"]],
  [{ subject: {} }, "{}", ["subject type"]],
  [{ data_base64: "*" }, "", ["data required"]],
  [{ datacontenttype: "text/plain" }, `"\\ud800"`, ["data required"]],
])("%j with the data %j is refused: %j", (over, data, problems) => {
  expect(problemsOf(structured(over, data))).toEqual(problems);
});

test.each([
  ["[]", " object"],
  ["{", " json"],
])("%s is no CloudEvent", (text, problem) => {
  expect(problemsOf(readStructuredCloudEvent(Buffer.from(text)))).toEqual([
    problem,
  ]);
});
