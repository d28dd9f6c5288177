import { expect, test } from "@jest/globals";
import { KeyHashes, murmur2, partitionOf } from "./partitioner.ts";

// From Kafka's own UtilsTest.testMurmur2.
test.each([
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
])("the hash of %s is the Java client's", (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash);
  expect(partitionOf(Buffer.from(key), 7)).toBe((hash & 0x7fffffff) % 7);
});

test("text keys are hashed as their UTF-8 bytes, again after they were forgotten", () => {
  const keys = new KeyHashes(2);

  for (const key of ["é", "b", "c", "é"])
    expect(keys.of(key)).toEqual({
      bytes: Buffer.from(key, "utf8"),
      hash: murmur2(Buffer.from(key, "utf8")),
    });
  expect(keys.of("é")).toBe(keys.of("é"));
});
