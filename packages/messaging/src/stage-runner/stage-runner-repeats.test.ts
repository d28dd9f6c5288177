import { expect, test } from "@jest/globals";
import { soon, useStageRunner } from "@postrider/testkit";

const runners = useStageRunner();

test("a repeat is recognised when it is read, however long its lane is, and is done without output", async () => {
  const seen = new Set<string>();
  const asked: number[] = [];
  const under = runners.create({
    stage: {
      isRepeat: ({ raw, value }) => {
        asked.push(raw.offset);
        if (seen.has(value)) return true;
        seen.add(value);
        return false;
      },
      remember: ({ value }) => void seen.add(value),
    },
  });
  // Offset 0 is below the commit; the first of b holds up its lane.
  under.consumer.append(0, "a/0", "b/1", "b/2", "a/0", "b/2", "c/1");
  under.consumer.stored.set(0, { offset: 1, metadata: "" });
  await under.startWith(0);

  under.consumer.deliver();

  expect(under.started).toEqual(["b/1", "c/1"]);
  expect(asked).toEqual([1, 2, 3, 4, 5]);
  await soon(() => under.consumer.commits.length > 0);
  expect(under.lastCommit()).toEqual({ offset: 1, next: 6, open: [1, 2, 5] });
  expect(under.output.sent).toEqual([]);
});

test("a record that is tried again is not compared with itself", async () => {
  let asked = 0;
  const under = await runners.started(["a/1"], {
    stage: { isRepeat: () => asked++ > 0 },
  });

  under.handlingOf("a/1").throw();

  await soon(() => under.started.length === 2);
  expect(asked).toBe(1);
});

test("a record that the stage cannot compare is a dead letter, and the partition goes on", async () => {
  const under = await runners.started(["a/1", "b/1"], {
    stage: {
      isRepeat: ({ value }) => {
        if (value === "a/1") throw new Error("a bug");
        return false;
      },
    },
  });

  expect(under.started).toEqual(["b/1"]);
  expect(under.output.sent[0]!.records[0]).toMatchObject({
    topic: "dead-letters",
  });
});
