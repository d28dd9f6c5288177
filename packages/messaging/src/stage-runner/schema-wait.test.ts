import { expect, test } from "@jest/globals";
import { OwnedPartition } from "../offsets/owned-partition.ts";
import type { Decoded } from "../stage.ts";
import { OpenRecord } from "./open-record.ts";
import { SchemaWait, type Waited } from "./schema-wait.ts";

const partition = new OwnedPartition({ topic: "deliveries", partition: 0 });

/** Records whose value names their schema, and which of those are known. */
function aWait() {
  const known = new Set<string>();
  const wait = new SchemaWait<string>((raw): Decoded<string> => {
    const schema = raw.value!.toString();
    return known.has(schema)
      ? { kind: "decoded", value: schema }
      : { kind: "unknown_schema", schema };
  }, 300_000);
  const add = (offset: number, schema: string, now: number): void => {
    const raw = {
      topic: "deliveries",
      partition: 0,
      offset,
      timestamp: now,
      key: null,
      value: Buffer.from(schema),
      headers: {},
    };
    wait.add(new OpenRecord(raw, undefined!, partition, now), schema, now);
  };
  return { wait, known, add };
}

const offsets = (waited: readonly Waited<string>[]): number[] =>
  waited.map(({ entry }) => entry.raw.offset);

test("once a schema has come, all that wait for it go on at that look, in the order of the log, however long each has waited", () => {
  const { wait, known, add } = aWait();
  add(30, "s", 0);
  add(10, "s", 0);
  add(15, "other", 0);
  // Those are looked at every few seconds by now.
  let now = 0;
  for (; now < 12_000; now += 50) wait.due(now);
  add(20, "s", now);
  known.add("s");

  let waited: Waited<string>[] = [];
  while (waited.length === 0) waited = wait.due((now += 50));

  expect(offsets(waited)).toEqual([10, 20, 30]);
  expect(wait.schemas()).toEqual(["other"]);
});

test("a schema that has come is seen before the look that is due, so that nothing behind overtakes what waits", () => {
  const { wait, known, add } = aWait();
  add(10, "s", 0);
  add(11, "other", 0);
  add(12, "s", 0);
  expect(wait.come()).toEqual([]);

  known.add("s");

  expect(offsets(wait.come())).toEqual([10, 12]);
  expect(wait.size).toBe(1);
});
