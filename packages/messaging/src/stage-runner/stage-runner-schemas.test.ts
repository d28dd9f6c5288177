import { expect, test } from "@jest/globals";
import { decodeText, soon, turns, useStageRunner } from "@postrider/testkit";

const runners = useStageRunner();

test("a record of an unknown schema waits while its siblings go on, and is handled once the schema is there", async () => {
  let isKnown = false;
  const under = await runners.started(["?", "a/1"], {
    decode: (raw) => {
      const decoded = decodeText(raw);
      return decoded.kind === "unknown_schema" && isKnown
        ? { kind: "decoded", value: "late/1" }
        : decoded;
    },
  });
  under.handlingOf("a/1").emit();
  await under.committedTo(0);
  expect(under.started).toEqual(["a/1"]);

  isKnown = true;
  under.clock.advance(300);

  await soon(() => under.started.includes("late/1"));
  under.handlingOf("late/1").emit();
  await under.committedTo(2);
});

test("a record whose schema does not come in time is a dead letter", async () => {
  const under = await runners.started(["?"]);

  under.clock.advance(299_000);
  await turns();
  expect(under.output.sent).toEqual([]);
  // The wait is 5 minutes. A heartbeat comes meanwhile, so that the gate does not block.
  under.consumer.heartbeatAt = Infinity;
  under.clock.advance(1001);

  await soon(() => under.output.sent.length === 1);
  expect(under.output.sent[0]!.records[0]!.value).toMatchObject({
    reason: "unknown_schema",
    rawValue: Buffer.from("?"),
  });
});

test("a full window of records without schema makes the runner not ready, but live", async () => {
  const under = await runners.started(["?", "?", "?"], {
    limits: { maxOpenPerPartition: 2 },
  });

  const { ready, live } = under.runner.health();

  expect(ready.filter(({ isOk }) => !isOk).map(({ name }) => name)).toEqual([
    "test.schemas",
  ]);
  expect(live.every(({ isOk }) => isOk)).toBe(true);
});

test("what was waiting for its schema comes before a record that is read once the schema is there", async () => {
  let isKnown = false;
  const seen: number[] = [];
  const under = await runners.started(["?"], {
    stage: {
      isRepeat: ({ raw }) => {
        seen.push(raw.offset);
        return false;
      },
    },
    decode: (raw) => {
      const decoded = decodeText(raw);
      return decoded.kind === "unknown_schema" && isKnown
        ? { kind: "decoded", value: "a/1" }
        : decoded;
    },
  });
  under.clock.advance(12_000);
  await turns();

  isKnown = true;
  under.consumer.append(0, "?");
  under.consumer.deliver();

  expect(seen).toEqual([0, 1]);
});
