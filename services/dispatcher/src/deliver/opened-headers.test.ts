import { expect, test } from "@jest/globals";
import { headerAad, SEALED_HEADERS, type Endpoint } from "@postrider/core";
import { createKeyRing } from "@postrider/runtime";
import {
  answered,
  aStage,
  attemptOf,
  deadLetterOf,
  deliveryOf,
  keyRing,
  registered,
} from "../../fixtures/deliver-stage.ts";

const VALUE = "Bearer hush-hush";
const lostRing = createKeyRing([{ kid: "k0", key: Buffer.alloc(32, 9) }]);

function withSealed(
  { ring = keyRing, id = "ep_1" } = {},
  fields: Partial<Endpoint> = {},
): Endpoint {
  const aad = headerAad("acme", id, "authorization");
  return registered({
    sealedHeaders: { Authorization: ring.seal(Buffer.from(VALUE), aad) },
    signing: ["standard", SEALED_HEADERS],
    ...fields,
  });
}

test("sealed headers are sent opened, beside plain ones of an older version, and what echoes them is redacted", async () => {
  const echo = answered(200, { responseBody: Buffer.from(`got ${VALUE}`) });
  const { run, record, requests } = aStage(
    [withSealed({}, { headers: { "x-plain": "a" } })],
    [echo],
  );

  const records = await run(record({ headers: { authorization: "event's" } }));
  await run(record({ deliveryId: "dlv_2" }));

  for (const { headers } of requests) {
    const at = headers.indexOf("Authorization");
    expect(headers[at + 1]).toBe(VALUE);
    expect(headers).toContain("x-plain");
    expect(headers).not.toContain("authorization");
  }
  expect(String(attemptOf(records).responseBody)).toBe("got [redacted]");
});

test.each([
  ["whose key is missing", withSealed({ ring: lostRing }), "ring has k1"],
  ["of another endpoint", withSealed({ id: "ep_2" }), "does not open"],
  [
    "that an older control has dropped",
    withSealed({}, { sealedHeaders: {} }),
    "older control",
  ],
])(
  "a delivery that would lack headers %s waits and is not sent; when it expires, its dead letter says why",
  async (_, endpoint, why) => {
    const { run, record, requests, clock } = aStage([endpoint]);

    const waiting = await run(record());
    const delivery = deliveryOf(waiting);
    const expiresAt = clock.now() + 1_000;
    const expired = await run(record({ ...delivery, expiresAt }));

    expect(delivery.deferralReason).toBe("secret_unavailable");
    expect(requests).toEqual([]);
    const { reason, detail } = deadLetterOf(expired);
    expect(reason).toBe("expired");
    expect(detail).toContain(why);
    expect(detail).toContain("set the endpoint's headers again");
  },
);

test("headers that an older control has written again, in the clear, are sent, though it kept the mark of those that it lost", async () => {
  const again = { authorization: VALUE };
  const { run, record, requests } = aStage([
    withSealed({}, { sealedHeaders: {}, headers: again }),
  ]);

  await run(record());

  expect(requests.map(({ headers }) => headers)).toEqual([
    expect.arrayContaining(["authorization", VALUE]),
  ]);
});
