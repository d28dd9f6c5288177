import { expect, test } from "@jest/globals";
import { headerAad, REDACTED, SEALED_HEADERS } from "@postrider/core";
import { createKeyRing } from "@postrider/runtime";
import { anEndpoint } from "@postrider/testkit";
import { createEndpointInput } from "./endpoint-input.ts";
import { validated } from "./endpoint-validation.ts";
import { changedEndpoint, viewOf } from "./endpoint.ts";
import { createHeaderSeal } from "./header-seal.ts";

const ringOf = (kid: string, byte: number) =>
  createKeyRing([{ kid, key: Buffer.alloc(32, byte) }]);
const seal = createHeaderSeal(ringOf("k1", 1));
const lost = createHeaderSeal(ringOf("k2", 2));
const HEADERS = { Authorization: "Bearer hush", "x-team": "a" };
const plain = anEndpoint({ headers: HEADERS, signing: ["hmac-hex"] });

test("sealed headers open again, and the mark is for dispatchers alone", () => {
  const stored = seal.seal(plain);

  expect(stored.headers).toEqual({});
  expect(stored.signing).toEqual(["hmac-hex", SEALED_HEADERS]);
  expect(seal.open(stored)).toEqual(plain);
  expect(seal.open(seal.open(stored))).toEqual(plain);
  expect(viewOf(seal.open(stored), () => null)).toMatchObject({
    signing: ["hmac-hex"],
    headers: { Authorization: REDACTED, "x-team": "a" },
  });
});

test("an endpoint without headers is as it was before there were sealed ones", () => {
  expect(seal.seal(anEndpoint())).toEqual(anEndpoint());
});

test("a value opens for its own endpoint, tenant and name alone, whatever the case of the name", () => {
  const { sealedHeaders } = seal.seal(plain);
  const openedAs = (fields: object) =>
    seal.open(anEndpoint({ ...fields, sealedHeaders })).headers;

  expect(openedAs({ id: "ep_other" })).toEqual({});
  expect(openedAs({ tenantId: "other" })).toEqual({});
  expect(headerAad("acme", "ep_1", "X-A")).toBe(
    headerAad("acme", "ep_1", "x-a"),
  );
  const moved = { "x-team": sealedHeaders["Authorization"]! };
  expect(seal.open(anEndpoint({ sealedHeaders: moved })).headers).toEqual({});
});

test("values whose key is missing are shown as `[redacted]` and kept by what does not replace them", () => {
  const stored = seal.seal(plain);
  const opened = lost.open(stored);
  const change = (headers?: Record<string, string>) =>
    lost.seal(
      changedEndpoint(opened, headers ? { headers } : { description: "x" }, 0),
    );

  const shown = viewOf(opened, () => null).headers;
  expect(shown).toEqual({ Authorization: REDACTED, "x-team": REDACTED });
  expect(change().sealedHeaders).toEqual(stored.sealedHeaders);
  expect(change(shown).sealedHeaders).toEqual(stored.sealedHeaders);
  const replaced = change({ authorization: REDACTED, "x-team": "b" });
  expect(replaced.sealedHeaders).toMatchObject({
    authorization: { kid: "k1" },
    "x-team": { kid: "k2" },
  });
  expect(change({}).sealedHeaders).toEqual({});
});

test("where an older control has lost the headers, the mark stays until they are given again", () => {
  // It knows the mark as a profile, and drops the field that it does not know.
  const left = anEndpoint({ signing: ["standard", SEALED_HEADERS] });
  const signingAfter = (change: Parameters<typeof changedEndpoint>[1]) =>
    seal.seal(changedEndpoint(seal.open(left), change, 0)).signing;

  expect(viewOf(seal.open(left), () => null).signing).toEqual(["standard"]);
  expect(signingAfter({ description: "x" })).toEqual(left.signing);
  expect(signingAfter({ signing: ["hmac-hex"] })).toEqual([
    "hmac-hex",
    SEALED_HEADERS,
  ]);
  expect(signingAfter({ headers: {} })).toEqual(["standard"]);
});

test.each([
  [
    "replaces headers that do not open",
    lost.open(seal.seal(plain)),
    { "x-team": "b" },
    [
      { field: "headers.x-team", from: REDACTED, to: "b" },
      { field: "headers.Authorization", from: REDACTED, to: null },
    ],
  ],
  [
    "gives again the headers that an older control has lost",
    anEndpoint({ signing: ["hmac-hex", SEALED_HEADERS] }),
    { "x-team": "b" },
    [{ field: "headers.x-team", from: null, to: "b" }],
  ],
  [
    "has none any more of those that are lost",
    anEndpoint({ signing: ["hmac-hex", SEALED_HEADERS] }),
    {},
    [{ field: "headers", from: null, to: {} }],
  ],
])(
  "a validation tells, and so `endpoints apply` carries out, what %s; after it nothing is left to tell",
  (_, before, headers, wanted) => {
    const { tenantId, url, eventTypes } = before;
    const body = { tenantId, url, eventTypes, headers, signing: ["hmac-hex"] };
    const changesOf = (of: typeof before) =>
      validated(body, {
        input: createEndpointInput({
          allowHttp: true,
          allowedCidrs: [],
          deniedCidrs: [],
        }),
        table: { entries: () => [[of.id, of]] },
        publicKeyOf: () => null,
        before: of,
      }).changes?.filter(({ field }) => field.startsWith("headers"));

    const changes = changesOf(before);
    const after = seal.seal(changedEndpoint(before, { headers }, 0));

    expect(changes).toHaveLength(wanted.length);
    expect(changes).toEqual(expect.arrayContaining(wanted));
    expect(changesOf(seal.open(after))).toEqual([]);
  },
);
