import { expect, test } from "@jest/globals";
import type { OutRecord } from "@postrider/messaging";
import { BUILT_AT, fakeClock } from "@postrider/testkit";
import { createAuditTrail, type AuditFact } from "./audit-trail.ts";

const FACT: AuditFact = {
  actor: "admin",
  tenantId: "acme",
  subject: "endpoint",
  subjectId: "ep_1",
  action: "paused",
  why: "their receiver is down",
  detail: { state: { from: "enabled", to: "paused" } },
  requestId: "req-7",
};

function aTrail() {
  const clock = fakeClock(BUILT_AT);
  const encoded: OutRecord[] = [];
  const trail = createAuditTrail({
    clock,
    topic: "p.audit",
    partitions: () => 4,
    encode(record) {
      encoded.push(record);
      return Buffer.from("encoded");
    },
  });
  return { trail, encoded, clock };
}

test("a fact becomes a record of the topic audit, keyed by its subject and stamped with the time", () => {
  const { trail, encoded, clock } = aTrail();

  const record = trail.recordOf(FACT);

  expect(record).toMatchObject({
    topic: "p.audit",
    key: Buffer.from("ep_1"),
    value: Buffer.from("encoded"),
  });
  expect(encoded).toEqual([
    {
      topic: "audit",
      key: "ep_1",
      value: {
        ...FACT,
        at: clock.now(),
        detail: '{"state":{"from":"enabled","to":"paused"}}',
      },
    },
  ]);
});

test("the records of one subject share a partition that the topic has", () => {
  const { trail } = aTrail();

  const places = Array.from({ length: 50 }, (_, n) => [
    trail.recordOf({ ...FACT, subjectId: `ep_${n}` }).partition,
    trail.recordOf({ ...FACT, subjectId: `ep_${n}`, action: "resumed" })
      .partition,
  ]);

  for (const [first, second] of places) expect(second).toBe(first);
  expect(new Set(places.flat())).toEqual(new Set([0, 1, 2, 3]));
});

test("a text in the detail that is very long is cut, and says how long it was", () => {
  const { trail, encoded } = aTrail();

  trail.recordOf({
    ...FACT,
    detail: { description: { from: "", to: "x".repeat(200_000) } },
  });

  const { detail } = encoded[0]!.value as { detail: string };
  expect(detail.length).toBeLessThan(2_100);
  expect(detail).toContain("… (200000 characters)");
});
