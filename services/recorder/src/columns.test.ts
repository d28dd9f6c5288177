import { expect, test } from "@jest/globals";
import { aDeadLetter, anAttempt, anIntake } from "@postrider/testkit";
import {
  ATTEMPT_COLUMNS,
  DEAD_LETTER_COLUMNS,
  EVENT_COLUMNS,
  rowOf,
} from "./columns.ts";

const raw = {
  topic: "t.intake",
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: null,
  value: null,
  headers: {},
};

test("an intake that holds a secret header in clear has it redacted in its row", () => {
  const intake = anIntake({ headers: { "X-Api-Key": "hush", a: "b" } });

  const row = rowOf(EVENT_COLUMNS, intake, raw);

  expect(row).toContainEqual({ "X-Api-Key": "[redacted]", a: "b" });
  expect(JSON.stringify(row)).not.toContain("hush");
});

test("a record whose time of receipt lies in the future makes no partition for it", () => {
  const now = Date.UTC(2026, 0, 10, 15, 30);
  const receivedAt = Date.UTC(2099, 0, 1);

  const rows = [
    rowOf(EVENT_COLUMNS, anIntake({ receivedAt, decidedAt: now }), raw),
    rowOf(ATTEMPT_COLUMNS, anAttempt({ receivedAt, startedAt: now }), raw),
    rowOf(DEAD_LETTER_COLUMNS, aDeadLetter({ receivedAt, deadAt: now }), raw),
  ];

  for (const row of rows) {
    expect(row).toContain("2026-01-10T15:00:00.000Z");
    expect(JSON.stringify(row)).not.toContain("2099");
  }
});

test("an attempt of a delivery that is days old keeps when it was received, which is part of the delivery's key", () => {
  const receivedAt = Date.UTC(2026, 0, 7);
  const attempt = anAttempt({ receivedAt, startedAt: Date.UTC(2026, 0, 10) });

  expect(rowOf(ATTEMPT_COLUMNS, attempt, raw)).toContain(
    "2026-01-07T00:00:00.000Z",
  );
});
