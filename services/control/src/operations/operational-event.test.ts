import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import {
  isTypePattern,
  validateEvent,
  type WebhookEvent,
} from "@postrider/core";
import { anEndpoint, aSignal, BUILT_AT } from "@postrider/testkit";
import { aReplay } from "../../fixtures/a-replay.ts";
import {
  deadLettersSignal,
  disabledSignal,
  eventRecord,
  ofDeadLetters,
  ofReplay,
  ofSignal,
  OPERATIONAL_TYPES,
  replaySignal,
  signalRecord,
  type DeadLetterCount,
  type OperationalEvent,
} from "./operational-event.ts";

const OPS = "ops";
const raw = { partition: 3, offset: 41 };
const endpoint = anEndpoint({ externalId: "billing" });
const seen = { raw, endpoint, operationsTenant: OPS };
const at = { operationsTenant: OPS, now: BUILT_AT };

const disabled = disabledSignal(
  endpoint,
  anEndpoint({
    state: "disabled",
    stateReason: "gone: the endpoint answered 410 Gone",
    version: 8,
    updatedAt: BUILT_AT,
  }),
)!;
const HOUR = Date.UTC(2026, 0, 1, 12);

const LETTERS: DeadLetterCount = {
  tenantId: "acme",
  since: HOUR,
  count: 131,
  reasons: { expired: 11, exhausted: 120 },
};
const counted = {
  threshold: 100,
  operationsTenant: OPS,
  now: HOUR + 600_000,
};
const REPLAY = aReplay({
  id: "rpl_000000000000000000000001",
  tenantId: "acme",
  total: 40,
  sent: 38,
  leftOut: { delivered: 2 },
});

/** One of each type, as the page of operational events shows them. */
const EVENTS: readonly OperationalEvent[] = [
  ofSignal(disabled, seen)!,
  ofSignal(
    aSignal({
      kind: "breaker_opened",
      detail:
        "10 attempts in a row failed, the last with http_error 503; open for 5 s",
    }),
    seen,
  )!,
  ofSignal(
    aSignal({ kind: "breaker_closed", detail: "every probe was answered" }),
    seen,
  )!,
  ofDeadLetters(LETTERS, counted)!,
  ofReplay(REPLAY, at)!,
];

/** What the record holds; it is not a text in `OutRecord`. */
function valueOf(event: OperationalEvent): WebhookEvent {
  return eventRecord(OPS, event).value as WebhookEvent;
}

test("each type is made, and is one that endpoints may ask for", () => {
  expect(EVENTS.map(({ type }) => type)).toEqual(OPERATIONAL_TYPES);
  expect(OPERATIONAL_TYPES.every(isTypePattern)).toBe(true);
});

test.each(EVENTS)("$type is an event that route accepts", (event) => {
  const { key, topic } = eventRecord(OPS, event);
  const value = valueOf(event);

  expect(topic).toBe("events");
  expect(key).toBe(`${OPS}:${value.id}`);
  expect(validateEvent(value, RULES)).toEqual([]);
});

const RULES: Parameters<typeof validateEvent>[1] = {
  maxPayloadBytes: 262_144,
  inline: { kind: "deny" },
  url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
};

test("the page shows the payload of each type as it is", () => {
  const page = readFileSync(
    new URL("../../../../docs/operational-events.md", import.meta.url),
    "utf8",
  );
  const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, json]) => JSON.parse(json!) as unknown,
  );

  expect(shown).toEqual(
    EVENTS.map(
      (event) =>
        JSON.parse(Buffer.from(valueOf(event).payload).toString()) as unknown,
    ),
  );
});

test("what is told twice has the same id, and what is another signal another one", () => {
  const signal = aSignal({ kind: "breaker_opened" });
  const idOf = (offset: number): string =>
    valueOf(ofSignal(signal, { ...seen, raw: { partition: 3, offset } })!).id;

  expect(idOf(41)).toBe(idOf(41));
  expect(idOf(42)).not.toBe(idOf(41));
});

test.each([
  ["gone"],
  ["failing"],
  ["unheard_of"],
  // Their events are sent with them, not after them.
  ["dead_letters_growing"],
  ["replay_finished"],
])("a signal %s is not told", (kind) => {
  expect(ofSignal(aSignal({ kind }), seen)).toBeNull();
});

test("nothing is told about the operator's own tenant", () => {
  const signal = aSignal({ kind: "breaker_opened", tenantId: OPS });

  expect(ofSignal(signal, seen)).toBeNull();
  expect(ofReplay(aReplay({ tenantId: OPS }), at)).toBeNull();
  expect(ofDeadLetters({ ...LETTERS, tenantId: OPS }, counted)).toBeNull();
});

test("dead letters and a replay make signals of no endpoint, which say for people what there is", () => {
  expect(deadLettersSignal(LETTERS, counted)).toEqual({
    kind: "dead_letters_growing",
    endpointId: "",
    tenantId: "acme",
    endpointVersion: 0,
    at: HOUR + 600_000,
    detail:
      "131 dead letters in the hour from 2026-01-01T12:00:00.000Z, told from 100 on; exhausted 120, expired 11",
    deliveryId: null,
  });
  expect(replaySignal({ ...REPLAY, finishedAt: HOUR }, "acme")).toEqual({
    kind: "replay_finished",
    endpointId: "",
    tenantId: "acme",
    endpointVersion: 0,
    at: HOUR,
    detail:
      "rpl_000000000000000000000001 (redrive): 38 of 40 sent; left out: delivered 2",
    deliveryId: null,
  });
});

test("a signal of dead letters is within the hour that it counts, by whatever clock", () => {
  const early = { ...counted, now: HOUR - 5_000 };
  const late = { ...counted, now: HOUR + 3 * 3_600_000 };

  expect(deadLettersSignal(LETTERS, early).at).toBe(HOUR);
  expect(deadLettersSignal(LETTERS, late).at).toBe(HOUR + 3_599_999);
});

test("a replay that only the operator may see makes a signal of no tenant", () => {
  expect(replaySignal(REPLAY, null).tenantId).toBe("");
});

test("a signal goes by its endpoint, and one that is about none by its tenant", () => {
  expect(signalRecord(disabled).key).toBe(endpoint.id);
  expect(signalRecord(replaySignal(REPLAY, "acme")).key).toBe("acme");
});

test("a replay of several tenants is told without one", () => {
  expect(ofReplay(aReplay({ tenantId: null }), at)?.data).toMatchObject({
    tenantId: null,
  });
});

test("an endpoint that is not there any more is told without its externalId", () => {
  const signal = aSignal({ kind: "breaker_opened", endpointId: "inline_1" });

  expect(
    ofSignal(signal, { ...seen, endpoint: undefined })?.data,
  ).toMatchObject({ endpointId: "inline_1", externalId: null });
});

test.each([
  ["is paused", anEndpoint(), anEndpoint({ state: "paused" })],
  [
    "was disabled before",
    anEndpoint({ state: "disabled" }),
    anEndpoint({ state: "disabled", version: 2 }),
  ],
  ["is deleted", anEndpoint(), null],
])("an endpoint that %s makes no signal", (_what, before, after) => {
  expect(disabledSignal(before, after)).toBeNull();
});
