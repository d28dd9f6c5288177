import { expect, test } from "@jest/globals";
import { askedSearch, askedSelection } from "./new-replay.ts";

test("the form's texts become the fields of the API", () => {
  expect(
    askedSelection(
      askedSearch({
        tenantId: "acme",
        endpointId: " ep_1 ",
        eventTypes: "order.*, invoice.sent,",
        statuses: "expired,delivered",
        reason: "gone",
        statusCode: "410",
        receivedSince: "6h",
        deadSince: "2026-11-28T10:00:00Z",
        ratePerSecond: "20",
        sql: "SELECT 1",
        receivedUntil: "",
      }),
    ),
  ).toEqual({
    tenantId: "acme",
    endpointId: "ep_1",
    eventTypes: ["order.*", "invoice.sent"],
    statuses: ["expired", "delivered"],
    reasons: ["gone"],
    statusCode: 410,
    receivedSince: "6h",
    deadSince: "2026-11-28T10:00:00Z",
    ratePerSecond: 20,
  });
});

test("what is left out is not asked for", () => {
  expect(askedSelection(askedSearch({}))).toEqual({});
});
