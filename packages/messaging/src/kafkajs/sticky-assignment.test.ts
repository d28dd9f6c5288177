import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { TopicPartition } from "../ports.ts";
import { assignSticky, type GroupMember } from "./sticky-assignment.ts";

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}:${partition}`;
const partitionsOf = (sizes: readonly number[]): TopicPartition[] =>
  sizes.flatMap((size, t) =>
    Array.from({ length: size }, (_, partition) => ({
      topic: `t${t}`,
      partition,
    })),
  );
const member = (
  memberId: string,
  topics: readonly string[],
  owned: readonly TopicPartition[] = [],
  generation = 1,
) =>
  ({
    memberId,
    topics,
    owned,
    generation,
    isLeaving: false,
  }) satisfies GroupMember;

const scene = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 12 }), {
      minLength: 1,
      maxLength: 4,
    }),
    claims: fc.array(fc.array(fc.nat(60), { maxLength: 30 }), {
      minLength: 1,
      maxLength: 6,
    }),
    generations: fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
  })
  .map(({ sizes, claims, generations }) => {
    const partitions = partitionsOf(sizes);
    const topics = sizes.map((_, t) => `t${t}`);
    const members = claims.map((list, i) => {
      const owned = [...new Set(list)].flatMap((n) => partitions[n] ?? []);
      return member(`m${i}`, topics, owned, generations[i]!);
    });
    return { partitions, topics, members };
  });

function sizesOf(assignment: Map<string, TopicPartition[]>): number[] {
  return [...assignment.values()].map((share) => share.length);
}

test("every partition goes to exactly one member, and shares differ by one at most", () => {
  fc.assert(
    fc.property(scene, ({ partitions, members }) => {
      const assignment = assignSticky(partitions, members);

      const all = [...assignment.values()].flat().map(keyOf);
      expect(all.toSorted()).toEqual(partitions.map(keyOf).toSorted());
      expect([...assignment.keys()].toSorted()).toEqual(
        members.map(({ memberId }) => memberId).toSorted(),
      );
      expect(
        Math.max(...sizesOf(assignment)) - Math.min(...sizesOf(assignment)),
      ).toBeLessThanOrEqual(1);
    }),
  );
});

test("the fewest partitions move that balance allows, from any state", () => {
  fc.assert(
    fc.property(scene, ({ partitions, members }) => {
      const assignment = assignSticky(partitions, members);

      // Of several members that claim one partition, the one with the latest generation keeps it; among equals the first by name.
      const believed = new Map<string, GroupMember>();
      for (const one of members)
        for (const owned of one.owned) {
          const rival = believed.get(keyOf(owned));
          if (rival === undefined || rival.generation < one.generation)
            believed.set(keyOf(owned), one);
        }
      const held = members
        .map(
          (one) =>
            [...believed.values()].filter((owner) => owner === one).length,
        )
        .toSorted((a, b) => b - a);
      const floor = Math.floor(partitions.length / members.length);
      const larger = partitions.length % members.length;
      const possible = held.reduce(
        (sum, count, i) =>
          sum + Math.min(count, i < larger ? floor + 1 : floor),
        0,
      );
      const kept = [...assignment].reduce(
        (sum, [memberId, share]) =>
          sum +
          share.filter((p) => believed.get(keyOf(p))?.memberId === memberId)
            .length,
        0,
      );
      expect(kept).toBe(possible);
    }),
  );
});

test("applied to its own result, it gives the same result", () => {
  fc.assert(
    fc.property(scene, ({ partitions, topics, members }) => {
      const before = assignSticky(partitions, members);

      const again = assignSticky(
        partitions,
        [...before].map(([memberId, owned]) =>
          member(memberId, topics, owned, 9),
        ),
      );

      const text = (assignment: typeof before) =>
        [...assignment]
          .map(
            ([id, share]) => `${id} ${share.map(keyOf).toSorted().join(" ")}`,
          )
          .toSorted();
      expect(text(again)).toEqual(text(before));
    }),
  );
});

test("only the share of a member that joins, or the partitions of a member that left, move", () => {
  const partitions = partitionsOf([12]);
  const two = assignSticky(partitions, [
    member("a", ["t0"]),
    member("b", ["t0"]),
  ]);
  const three = assignSticky(partitions, [
    member("a", ["t0"], two.get("a")),
    member("b", ["t0"], two.get("b")),
    member("c", ["t0"], [], -1),
  ]);
  const back = assignSticky(partitions, [
    member("a", ["t0"], three.get("a")),
    member("b", ["t0"], three.get("b")),
  ]);

  expect(sizesOf(three)).toEqual([4, 4, 4]);
  for (const id of ["a", "b"]) {
    expect(two.get(id)!.map(keyOf)).toEqual(
      expect.arrayContaining(three.get(id)!.map(keyOf)),
    );
    expect(back.get(id)!.map(keyOf)).toEqual(
      expect.arrayContaining(three.get(id)!.map(keyOf)),
    );
  }
});

test("each topic is spread, so that no member gets all of a busy one", () => {
  const assignment = assignSticky(partitionsOf([4, 4, 4]), [
    member("a", ["t0", "t1", "t2"]),
    member("b", ["t0", "t1", "t2"]),
  ]);

  for (const share of assignment.values())
    for (const topic of ["t0", "t1", "t2"])
      expect(share.filter((p) => p.topic === topic)).toHaveLength(2);
});

test("while members subscribe to different topics, each gets only partitions of its own topics, and every partition is assigned", () => {
  fc.assert(
    fc.property(
      fc.array(fc.subarray(["t0", "t1", "t2"], { minLength: 1 }), {
        minLength: 1,
        maxLength: 5,
      }),
      (subscriptions) => {
        const partitions = partitionsOf([5, 3, 4]);
        const members = subscriptions.map((topics, i) =>
          member(`m${i}`, topics),
        );

        const assignment = assignSticky(partitions, members);

        for (const { memberId, topics } of members)
          for (const { topic } of assignment.get(memberId)!)
            expect(topics).toContain(topic);
        const wanted = partitions.filter(({ topic }) =>
          members.some(({ topics }) => topics.includes(topic)),
        );
        expect([...assignment.values()].flat()).toHaveLength(wanted.length);
      },
    ),
  );
});

test("a member that is leaving gets nothing new and keeps at most its share; the others share the rest evenly", () => {
  fc.assert(
    fc.property(
      scene,
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      ({ partitions, members }, leaving) => {
        const group = members.map((one, i) => ({
          ...one,
          isLeaving: i > 0 && leaving[i]!, // one stays at least
        }));

        const assignment = assignSticky(partitions, group);

        const all = [...assignment.values()].flat().map(keyOf);
        expect(all.toSorted()).toEqual(partitions.map(keyOf).toSorted());
        const share = Math.ceil(partitions.length / group.length);
        for (const { memberId, owned, isLeaving } of group) {
          if (!isLeaving) continue;
          const had = new Set(owned.map(keyOf));
          const has = assignment.get(memberId)!.map(keyOf);
          expect(has.filter((key) => !had.has(key))).toEqual([]);
          expect(has.length).toBeLessThanOrEqual(share);
        }
        const sizes = group
          .filter(({ isLeaving }) => !isLeaving)
          .map(({ memberId }) => assignment.get(memberId)!.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test("if all members are leaving, they get all partitions all the same", () => {
  const partitions = partitionsOf([4]);
  const leaving = { ...member("m0", ["t0"]), isLeaving: true };

  const assignment = assignSticky(partitions, [leaving]);

  expect(assignment.get("m0")).toEqual(partitions);
});

test("a topic that only a leaving member reads goes to that member", () => {
  const partitions = partitionsOf([2, 2]);
  const group = [
    member("new", ["t0"]),
    { ...member("old", ["t0", "t1"]), isLeaving: true },
  ];

  const assignment = assignSticky(partitions, group);

  expect(assignment.get("new")).toEqual(partitionsOf([2]));
  expect(assignment.get("old")).toEqual(partitions.slice(2));
});
