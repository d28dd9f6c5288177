import { expect, test } from "@jest/globals";
import type { Replay } from "@postrider/core";
import { aReplay } from "../../fixtures/a-replay.ts";
import { advanced, mayOverlap, steered, waitsFor } from "./replay.ts";

const PLACE = {
  tenantId: "acme",
  receivedAt: 1,
  eventId: "evt_1",
  endpointId: "ep_1",
};

test("progress adds up, and clears what the replay waited for", () => {
  const before = aReplay({ detail: "waits", sent: 2, leftOut: { parked: 1 } });

  const after = advanced(before, {
    place: PLACE,
    sent: 3,
    leftOut: new Map([
      ["parked", 1],
      ["endpoint_deleted", 4],
    ]),
  });

  expect(after).toMatchObject({
    detail: "",
    place: PLACE,
    sent: 5,
    leftOut: { parked: 2, endpoint_deleted: 4 },
  });
});

test("what was sent while it was cancelled counts, and it stays cancelled", () => {
  const cancelled = steered(aReplay(), "cancel", 7)!;

  const after = advanced(cancelled, {
    place: PLACE,
    sent: 3,
    leftOut: new Map(),
  });

  expect(after).toMatchObject({
    state: "cancelled",
    detail: "by hand",
    sent: 3,
    finishedAt: 7,
  });
});

test.each([
  ["running", "pause", "paused"],
  ["running", "resume", "running"],
  ["running", "cancel", "cancelled"],
  ["paused", "pause", "paused"],
  ["paused", "resume", "running"],
  ["paused", "cancel", "cancelled"],
  ["cancelled", "cancel", "cancelled"],
  ["cancelled", "resume", null],
  ["done", "pause", null],
  ["done", "cancel", null],
] as const)("a replay that is %s: %s makes it %s", (state, action, becomes) => {
  expect(steered(aReplay({ state }), action, 7)?.state ?? null).toBe(becomes);
});

test("doing by hand what is so already changes nothing", () => {
  const paused = aReplay({ state: "paused" });

  expect(steered(paused, "pause", 7)).toBe(paused);
});

const to = (selection: Partial<Replay["selection"]>): Replay =>
  aReplay({ selection: { ...aReplay().selection, ...selection } });

test.each([
  ["everything and everything", aReplay(), aReplay(), true],
  ["one endpoint and everything", to({ endpointId: "a" }), aReplay(), true],
  ["two endpoints", to({ endpointId: "a" }), to({ endpointId: "b" }), false],
  ["two types", to({ eventTypes: ["a"] }), to({ eventTypes: ["b"] }), false],
  [
    "a type and its pattern",
    to({ eventTypes: ["x", "a.b"] }),
    to({ eventTypes: ["a.*"] }),
    true,
  ],
  [
    "two patterns, one in the other",
    to({ eventTypes: ["a.*"] }),
    to({ eventTypes: ["a.b.*"] }),
    true,
  ],
  [
    "two tenants",
    aReplay({ tenantId: "a" }),
    aReplay({ tenantId: "b" }),
    false,
  ],
  [
    "one tenant and every tenant",
    aReplay({ tenantId: "a" }),
    aReplay({ tenantId: null }),
    true,
  ],
  [
    "times that follow each other",
    to({ receivedUntil: 5 }),
    to({ receivedSince: 5 }),
    false,
  ],
  [
    "times that meet",
    to({ receivedUntil: 6 }),
    to({ receivedSince: 5, receivedUntil: 9 }),
    true,
  ],
  // Both may choose a delivery of the same event: one the first that expired, the other a later one.
  [
    "two reasons",
    to({ reasons: ["gone"] }),
    to({ reasons: ["blocked"] }),
    true,
  ],
  ["named ones", to({ deliveryIds: ["a"] }), to({ deliveryIds: ["b"] }), true],
])("two replays of %s may send the same: %#", (_what, one, other, expected) => {
  expect(mayOverlap(one, other)).toBe(expected);
  expect(mayOverlap(other, one)).toBe(expected);
});

test("a replay waits for earlier ones that are not over, also a paused one; of two made at the same time only one waits", () => {
  const mine = aReplay({ id: "rpl_b", createdAt: 5 });
  const others = [
    aReplay({ id: "rpl_running", createdAt: 4 }),
    aReplay({ id: "rpl_paused", createdAt: 4, state: "paused" }),
    aReplay({ id: "rpl_done", createdAt: 4, state: "done" }),
    aReplay({ id: "rpl_cancelled", createdAt: 4, state: "cancelled" }),
    aReplay({ id: "rpl_later", createdAt: 6 }),
    aReplay({ id: "rpl_a", createdAt: 5 }),
    aReplay({ id: "rpl_c", createdAt: 5 }),
  ];

  const waited = waitsFor(mine, [...others, mine]).map(({ id }) => id);

  expect(waited).toEqual(["rpl_running", "rpl_paused", "rpl_a"]);
});
