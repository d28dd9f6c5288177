import { expect, test } from "@jest/globals";
import { FakeConsumer, TOPIC, fakeClock } from "@postrider/testkit";
import type { FetchedBatch } from "../ports.ts";
import { TableHoles } from "./table-holes.ts";

const log = new FakeConsumer({ topic: TOPIC, clock: fakeClock() });

/** A fetch that could read nothing of `unreadable`, and all else. */
function fetched(
  fetchOffset: number,
  lastOffset: number,
  ...unreadable: readonly (readonly [first: number, count: number])[]
): FetchedBatch {
  return {
    topic: TOPIC,
    partition: 0,
    fetchOffset,
    lastOffset,
    highWatermark: lastOffset + 1,
    records: unreadable.map(([first, count]) =>
      log.unreadable(0, first, count),
    ),
  };
}

test("a hole is closed by fetches that read all of it, one after another", () => {
  const holes = new TableHoles();
  holes.read(fetched(0, 30, [10, 10]));

  holes.read(fetched(10, 14));
  expect(holes.firstOf(0)).toBe(15);
  holes.read(fetched(15, 30));

  expect(holes.isEmpty).toBe(true);
});

test("what is read behind a hole does not close it, and what is still unreadable is not told again", () => {
  const holes = new TableHoles();
  expect(holes.read(fetched(0, 19, [10, 10]))).toHaveLength(1);

  expect(holes.read(fetched(20, 30))).toEqual([]);
  expect(holes.read(fetched(10, 30, [10, 10]))).toEqual([]);

  expect(holes.describe()).toBe(
    "cannot be read at partition 0, offsets 10 to 19 (offsets 10 to 19)",
  );
});

test("a hole is gone with the log's part in which it lay", () => {
  const holes = new TableHoles();
  holes.read(fetched(0, 39, [10, 10], [30, 5]));

  holes.cutBelow(0, 15);
  expect(holes.firstOf(0)).toBe(15);
  holes.cutBelow(0, 20);

  expect(holes.firstOf(0)).toBe(30);
  holes.cutBelow(0, 40);
  expect(holes.has(0)).toBe(false);
});
