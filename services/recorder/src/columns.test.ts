import { expect, test } from "@jest/globals";
import {
  aDeadLetter,
  anAttempt,
  anAuditEntry,
  anIntake,
  aRawRecord,
  aSignal,
} from "@postrider/testkit";
import {
  ATTEMPTS,
  AUDIT,
  DEAD_LETTERS,
  EVENTS,
  eventsTable,
  SIGNALS,
} from "./columns.ts";
import type { Table } from "./columns.ts";
import { encodeBlock } from "./native/block.ts";

const raw = aRawRecord({ topic: "t.intake" });

/** What a row has in a column of times, epoch ms. */
function timeIn<T>({ columns }: Table<T>, name: string, value: T): number {
  const column = columns.filter((each) => each.name === name);
  const block = encodeBlock(column, [{ value, raw }]);
  return Number(block.readBigInt64LE(block.length - 8));
}

test("an intake that holds a secret header in clear has it redacted in its row", () => {
  const value = anIntake({ headers: { "X-Api-Key": "hush", a: "b" } });

  const block = encodeBlock(EVENTS.columns, [{ value, raw }]).toString();

  expect(block).toContain("X-Api-Key\x01a\x0a[redacted]\x01b");
  expect(block).not.toContain("hush");
});

test("a record whose time of receipt lies in the future makes no partition for it", () => {
  const now = Date.UTC(2026, 0, 10, 15, 30);
  const receivedAt = Date.UTC(2099, 0, 1);
  const intake = anIntake({ receivedAt, decidedAt: now });
  const attempt = anAttempt({ receivedAt, startedAt: now });
  const letter = aDeadLetter({ receivedAt, deadAt: now });

  const times = [
    timeIn(EVENTS, "received_at", intake),
    timeIn(ATTEMPTS, "received_at", attempt),
    timeIn(DEAD_LETTERS, "received_at", letter),
  ];

  const hour = Date.UTC(2026, 0, 10, 15);
  expect(times).toEqual([hour, hour, hour]);
});

test("an attempt of a delivery that is days old keeps when it was received, which is part of the delivery's key", () => {
  const receivedAt = Date.UTC(2026, 0, 7);
  const attempt = anAttempt({ receivedAt, startedAt: Date.UTC(2026, 0, 10) });

  expect(timeIn(ATTEMPTS, "received_at", attempt)).toBe(receivedAt);
});

test("a table's time is what its time column has, so that a mend looks at the right days", () => {
  const intake = anIntake({ receivedAt: -1, decidedAt: Date.UTC(2026, 0, 9) });
  const attempt = anAttempt({ startedAt: 9e15 });
  const letter = aDeadLetter({ deadAt: -5 });
  const signal = aSignal({ at: 9e15 });
  const entry = anAuditEntry({ at: 9e15 });

  expect(EVENTS.timeOf(intake)).toBe(timeIn(EVENTS, EVENTS.timeColumn, intake));
  expect(ATTEMPTS.timeOf(attempt)).toBe(
    timeIn(ATTEMPTS, ATTEMPTS.timeColumn, attempt),
  );
  expect(DEAD_LETTERS.timeOf(letter)).toBe(
    timeIn(DEAD_LETTERS, DEAD_LETTERS.timeColumn, letter),
  );
  expect(SIGNALS.timeOf(signal)).toBe(
    timeIn(SIGNALS, SIGNALS.timeColumn, signal),
  );
  expect(AUDIT.timeOf(entry)).toBe(timeIn(AUDIT, AUDIT.timeColumn, entry));
});

test("where payloads are not recorded, a row has the payload's size alone, although the intake has a payload", () => {
  const intake = anIntake({ payload: Buffer.from("secret"), payloadBytes: 6 });
  const rows = [{ value: intake, raw }];

  const block = encodeBlock(eventsTable("none").columns, rows).toString();

  expect(block).toContain("payload\x06String\x00");
  expect(block).toContain("payload_bytes\x05Int32\x06");
  expect(block).not.toContain("secret");
});
