import { expect, test } from "@jest/globals";
import { webhookIdOf } from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import { BUILT_AT } from "@postrider/testkit";
import { rebuiltDelivery, type RecordedEvent } from "./rebuilt-delivery.ts";

const UNIT = {
  tenantId: "acme",
  receivedAt: BUILT_AT,
  eventId: "evt_1",
  endpointId: "ep_1",
};
const EVENT: RecordedEvent = {
  eventType: "order.paid",
  occurredAt: BUILT_AT - 1,
  contentType: "application/json",
  headers: { "x-team": "a" },
  payload: Buffer.from("{}"),
  payloadBytes: 2,
  sourceTopic: "postrider.events",
  sourcePartition: 1,
  sourceOffset: 9,
};

test("a delivery is made again of its event, with the webhook-id that it had", () => {
  expect(rebuiltDelivery(UNIT, EVENT)).toMatchObject({
    ...UNIT,
    webhookId: webhookIdOf(sha256Text, UNIT),
    eventType: "order.paid",
    payload: Buffer.from("{}"),
    headers: { "x-team": "a" },
    inline: null,
    sourceOffset: 9,
  });
});

test.each([
  ["there is no event any more", UNIT, undefined, "payload_gone"],
  [
    "payloads are not recorded",
    UNIT,
    { ...EVENT, payload: Buffer.alloc(0) },
    "payload_gone",
  ],
  [
    "its URL was in its deliveries only",
    { ...UNIT, endpointId: "inline_1" },
    EVENT,
    "payload_gone",
  ],
  [
    "a secret header of it is not recorded",
    UNIT,
    { ...EVENT, headers: { authorization: "[redacted]" } },
    "headers_redacted",
  ],
])("it is not made where %s", (_why, unit, event, reason) => {
  expect(rebuiltDelivery(unit, event)).toBe(reason);
});

test("an empty payload is a payload", () => {
  const event = { ...EVENT, payload: Buffer.alloc(0), payloadBytes: 0 };

  expect(rebuiltDelivery(UNIT, event)).toMatchObject({
    payload: Buffer.alloc(0),
  });
});
