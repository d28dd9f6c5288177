import { expect, test } from "@jest/globals";
import { recordKeyOf, whereToLook, type SearchFacts } from "./where-to-look.ts";

const NOTHING: SearchFacts = {
  otherTenants: [],
  ofKey: null,
  letter: undefined,
  newest: 0,
  unreadable: null,
};

test.each<[string, Partial<SearchFacts>, string, string]>([
  [
    "another tenant has it",
    { otherTenants: ["beta"] },
    "other_tenant",
    "tenant beta has an event of this id",
  ],
  [
    "it is a record's key",
    { ofKey: { tenantId: "acme", eventId: "evt_1" } },
    "record_key",
    'is the key of a record: the event is "evt_1" of tenant acme',
  ],
  [
    "a dead letter names it",
    {
      letter: {
        delivery_id: "",
        reason: "invalid",
        detail: "type: must be dotted",
        deadAt: 0,
        log_topic: "postrider.dead-letters",
        log_partition: 1,
        log_offset: 2,
      },
    },
    "dead_letter",
    "is in a dead letter, invalid: type: must be dotted (postrider.dead-letters/1@2)",
  ],
  [
    "records could not be read",
    { unreadable: 3 },
    "unreadable",
    "may be in a record that nobody could read: there were 3 in the last day, in the dead letters unreadable",
  ],
  [
    "the recorder may be behind",
    { newest: Date.UTC(2026, 10, 30) },
    "not_recorded_yet",
    "may not have come in, or is not recorded yet: the newest event that is recorded came in at 2026-11-30T00:00:00.000Z",
  ],
  [
    "nothing is recorded",
    {},
    "not_recorded_yet",
    "may not have come in, or is not recorded yet: no event of the last day is recorded",
  ],
  [
    "it may be too old",
    {},
    "kept_30_days",
    "is gone where it came in more than 30 days ago",
  ],
])("%s", (_, facts, rule, message) => {
  const hints = whereToLook({ ...NOTHING, ...facts });

  expect(hints.find((hint) => hint.rule === rule)?.message).toBe(message);
});

test("what was not found is not hinted at", () => {
  const rules = whereToLook({ ...NOTHING, unreadable: 0 }).map(
    ({ rule }) => rule,
  );

  expect(rules).toEqual(["not_recorded_yet", "kept_30_days"]);
});

test.each([
  ["acme:evt_1", { tenantId: "acme", eventId: "evt_1" }],
  ["acme:a:b", { tenantId: "acme", eventId: "a:b" }],
  ["evt_1", null],
  [":evt_1", null],
  ["acme:", null],
  ["not a tenant:evt_1", null],
])("as a record's key %j is %j", (text, key) => {
  expect(recordKeyOf(text)).toEqual(key);
});
