import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { processIdentity, VERSION } from "@postrider/runtime";
import kafkajs from "kafkajs";
import {
  decodeOwnership,
  encodeOwnership,
  memberPartitions,
  memberProcess,
  memberVersion,
} from "./sticky-assignor.ts";

test("a member's ownership is read back as it was encoded", () => {
  const ownership = {
    generation: 7,
    partitions: [
      { topic: "a", partition: 0 },
      { topic: "a", partition: 11 },
      { topic: "retry.1s", partition: 3 },
    ],
    isLeaving: true,
  };

  expect(decodeOwnership(encodeOwnership(ownership))).toEqual(ownership);
});

test("a member of an earlier version does not say whether it is leaving, so it is not", () => {
  const earlier = Buffer.from('{"generation":7,"owned":{"a":[0]}}');

  expect(decodeOwnership(earlier)).toEqual({
    generation: 7,
    partitions: [{ topic: "a", partition: 0 }],
    isLeaving: false,
  });
});

test("user data that is not ours decodes to no partitions, and never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        const { partitions } = decodeOwnership(Buffer.from(bytes));

        for (const { partition } of partitions)
          expect(Number.isSafeInteger(partition)).toBe(true);
      },
    ),
  );
  expect(decodeOwnership(undefined).partitions).toEqual([]);
});

test("a member's process is read from the metadata that the group keeps of it", () => {
  const kept = kafkajs.AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: ["a"],
    userData: encodeOwnership({
      generation: 7,
      partitions: [],
      isLeaving: false,
    }),
  });

  expect(memberProcess(kept)).toEqual(processIdentity());
  expect(memberVersion(kept)).toBe(VERSION);
});

test("of a member of an earlier version everything but its version is known", () => {
  const kept = kafkajs.AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: ["a"],
    userData: Buffer.from('{"generation":7,"owned":{"a":[0]}}'),
  });

  expect(memberVersion(kept)).toBeNull();
});

test("a member of an earlier version reads of a newer one what it owns, whatever else is there", () => {
  const newer = Buffer.from(
    '{"generation":7,"owned":{"a":[0]},"isLeaving":false,"version":"9.9.9"}',
  );

  expect(decodeOwnership(newer)).toEqual({
    generation: 7,
    partitions: [{ topic: "a", partition: 0 }],
    isLeaving: false,
  });
});

test("the partitions of a member are read from its assignment; from what is none, nothing", () => {
  const kept = kafkajs.AssignerProtocol.MemberAssignment.encode({
    version: 0,
    assignment: { a: [0, 2], b: [1] },
    userData: Buffer.alloc(0),
  });

  expect(memberPartitions(kept)).toEqual([
    { topic: "a", partition: 0 },
    { topic: "a", partition: 2 },
    { topic: "b", partition: 1 },
  ]);
  expect(memberPartitions(Buffer.alloc(0))).toEqual([]);
  expect(memberPartitions(Buffer.from([0, 0, 9]))).toEqual([]);
});

test("metadata that is not ours, or names no process, gives null, and never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.record({ process: fc.jsonValue() }).map((data) =>
          kafkajs.AssignerProtocol.MemberMetadata.encode({
            version: 0,
            topics: [],
            userData: Buffer.from(JSON.stringify(data)),
          }),
        ),
      ),
      (kept) => {
        expect(memberProcess(kept)).toBeNull();
        expect(memberVersion(kept)).toBeNull();
      },
    ),
  );
});
