import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AcceptedEvents } from "./accepted-events.ts";

const at = (offset: number, bytes = 10, partition = 0) => ({
  topic: "events",
  partition,
  offset,
  key: null,
  value: Buffer.alloc(bytes),
});

const CONTENT = 7;

const aWindow = (limits = {}) =>
  new AcceptedEvents({ maxRecords: 100, maxBytes: 1_000, ...limits });

test("a key is a repeat after its first record, and only in its partition", () => {
  const window = aWindow();
  window.moveTo(at(5));
  window.accept(at(5), "acme:1", CONTENT);

  expect(window.isRepeat(at(6), "acme:1")).toBe(true);
  expect(window.isRepeat(at(6), "acme:2")).toBe(false);
  expect(window.isRepeat(at(6, 10, 1), "acme:1")).toBe(false);
});

test("a record that is read again is not its own duplicate, nor a duplicate of a later record", () => {
  const window = aWindow();
  window.accept(at(5), "acme:1", CONTENT);

  expect(window.isRepeat(at(5), "acme:1")).toBe(false);
  expect(window.isRepeat(at(3), "acme:1")).toBe(false);

  window.accept(at(3), "acme:1", CONTENT);

  expect(window.isRepeat(at(4), "acme:1")).toBe(true);
});

test("an event older than maxRecords records is forgotten", () => {
  const window = aWindow({ maxRecords: 10 });
  window.accept(at(0), "acme:1", CONTENT);

  window.moveTo(at(10));
  expect(window.isRepeat(at(10), "acme:1")).toBe(true);

  window.moveTo(at(11));
  expect(window.isRepeat(at(11), "acme:1")).toBe(false);
});

test("an event older than maxBytes bytes is forgotten", () => {
  const window = aWindow({ maxBytes: 100 });
  window.moveTo(at(0, 50));
  window.accept(at(0, 50), "acme:1", CONTENT);

  window.moveTo(at(1, 50));
  expect(window.isRepeat(at(1, 50), "acme:1")).toBe(true);

  window.moveTo(at(2, 1));
  expect(window.isRepeat(at(2, 1), "acme:1")).toBe(false);
});

test("the bytes of a record that is handled again count once", () => {
  const window = aWindow({ maxBytes: 100 });
  window.moveTo(at(0, 50));
  window.accept(at(0, 50), "acme:1", CONTENT);

  window.moveTo(at(1, 50));
  window.moveTo(at(1, 50));

  expect(window.isRepeat(at(1, 50), "acme:1")).toBe(true);
});

test("a revoked partition is forgotten, the others are not", () => {
  const window = aWindow();
  window.accept(at(1, 10, 0), "acme:1", CONTENT);
  window.accept(at(1, 10, 1), "acme:1", CONTENT);

  window.forget({ topic: "events", partition: 0 });

  expect(window.isRepeat(at(2, 10, 0), "acme:1")).toBe(false);
  expect(window.isRepeat(at(2, 10, 1), "acme:1")).toBe(true);
  expect(window.size).toBe(1);
});

test("keys count toward the bytes, as they do in the runner's warm-up", () => {
  const window = aWindow({ maxBytes: 100 });
  const keyed = (offset: number) => ({
    ...at(offset, 25),
    key: Buffer.alloc(25),
  });
  window.moveTo(keyed(0));
  window.accept(keyed(0), "acme:1", CONTENT);

  window.moveTo(keyed(1));
  expect(window.isRepeat(keyed(1), "acme:1")).toBe(true);

  window.moveTo(keyed(2));
  expect(window.isRepeat(keyed(2), "acme:1")).toBe(false);
});

test("a repeat with other content is told from one with the same, by the earliest record of the key", () => {
  const window = aWindow();
  window.accept(at(5), "acme:1", 5);

  expect(window.isOther(at(6), "acme:1", 5)).toBe(false);
  expect(window.isOther(at(6), "acme:1", 6)).toBe(true);

  window.accept(at(7), "acme:1", 7);
  expect(window.isOther(at(8), "acme:1", 5)).toBe(false);
  window.accept(at(3), "acme:1", 3);
  expect(window.isOther(at(8), "acme:1", 5)).toBe(true);
});

test("the window stays within its bounds, and within them decides like a full history", () => {
  const records = fc.array(fc.record({ key: fc.nat(20), bytes: fc.nat(30) }), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(records, (list) => {
      const window = new AcceptedEvents({ maxRecords: 20, maxBytes: 1e9 });
      const acceptedAt = new Map<number, number>();

      list.forEach(({ key, bytes }, offset) => {
        const record = at(offset, bytes);
        window.moveTo(record);
        const isRepeat = window.isRepeat(record, String(key));
        const last = acceptedAt.get(key);
        expect(isRepeat).toBe(last !== undefined && last >= offset - 20);
        if (isRepeat) return;
        window.accept(record, String(key), CONTENT);
        acceptedAt.set(key, offset);
      });

      expect(window.size).toBeLessThanOrEqual(21);
    }),
  );
});
