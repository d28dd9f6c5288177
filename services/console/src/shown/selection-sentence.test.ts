import { expect, test } from "@jest/globals";
import type { ReplaySelection } from "../api/answers-replays.ts";
import { selectionSentence } from "./selection-sentence.ts";

const selection: ReplaySelection = {
  deliveryIds: [],
  sql: null,
  endpointId: null,
  eventTypes: [],
  statuses: ["expired"],
  reasons: [],
  statusCode: null,
  receivedSince: null,
  receivedUntil: null,
  deadSince: null,
  deadUntil: null,
};
const since = "2026-11-28T10:00:00.000Z";
const until = "2026-11-29T10:00:00.000Z";

test.each([
  [{}, "Deliveries that were given up."],
  [
    { statuses: ["expired", "delivered"], deliveryIds: ["a", "b"] },
    "Deliveries that were delivered or given up, named one by one (2).",
  ],
  [
    { statuses: ["delivered"], eventTypes: ["order.*", "invoice.sent", "a.b"] },
    "Deliveries that were delivered, of events of type order.*, invoice.sent or a.b.",
  ],
  [
    {
      endpointId: "ep_1",
      reasons: ["exhausted", "endpoint_disabled"],
      statusCode: 503,
      receivedSince: since,
      receivedUntil: until,
    },
    "Deliveries that were given up, to the endpoint ep_1, for the reason exhausted or endpoint disabled, last answered with 503, of events received from 2026-11-28 10:00:00.000 UTC to before 2026-11-29 10:00:00.000 UTC.",
  ],
  [
    { sql: "SELECT 1", receivedUntil: until },
    "Deliveries that were given up, whose ids a SELECT returns, of events received before 2026-11-29 10:00:00.000 UTC.",
  ],
  [
    { endpointId: "ep_1", deadSince: since },
    "Deliveries that were given up from 2026-11-28 10:00:00.000 UTC on, to the endpoint ep_1.",
  ],
  [
    { deadSince: since, deadUntil: until },
    "Deliveries that were given up from 2026-11-28 10:00:00.000 UTC to before 2026-11-29 10:00:00.000 UTC.",
  ],
])("%j: %s", (given, sentence) => {
  expect(
    selectionSentence({
      kind: "redrive",
      tenantId: null,
      selection: { ...selection, ...given },
    }),
  ).toBe(sentence);
});

test("a backfill is of events, and a tenant is named", () => {
  expect(
    selectionSentence({
      kind: "backfill",
      tenantId: "acme",
      selection: { ...selection, statuses: [], receivedSince: since },
    }),
  ).toBe(
    "Recorded events that the endpoint has no delivery of, of the tenant acme, of events received from 2026-11-28 10:00:00.000 UTC on.",
  );
});

test("an older control's selection has no times of being given up", () => {
  const { deadSince: _, deadUntil: __, ...older } = selection;

  expect(
    selectionSentence({
      kind: "redrive",
      tenantId: null,
      selection: older as ReplaySelection,
    }),
  ).toBe("Deliveries that were given up.");
});
