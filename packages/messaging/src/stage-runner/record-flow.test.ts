import { expect, test } from "@jest/globals";
import {
  inOneLane,
  soon,
  useStageRunner,
  type RunnerOptions,
  type RunnerUnderTest,
} from "@postrider/testkit";
import type { OutRecord } from "../record.ts";
import type { Verdict } from "../stage.ts";
import { UnfitValueError } from "../unfit-value-error.ts";

const runners = useStageRunner();

/** The committed offset. */
const committed = ({ consumer }: RunnerUnderTest) =>
  consumer.stored.get(0)?.offset;

const outputOf = (text: string): OutRecord => ({
  topic: "attempts",
  key: "k",
  value: Buffer.from(text),
});

/** An observer that throws when it is told of a record that is done. */
const throwing: RunnerOptions = {
  meter: {
    counter: (name) => ({
      inc: () => (/deferrals|rejected/.test(name) ? fail() : undefined),
    }),
    gauge: () => ({ set: () => undefined }),
    histogram: () => ({ observe: () => undefined }),
  },
  observer: { completed: () => fail(), committed: () => undefined },
};

function fail(): never {
  throw new Error("a broken instrument");
}

test("once its output is acknowledged, a record is not handled again, whatever throws after that", async () => {
  const under = await runners.started([], { ...throwing, isPrompt: true });

  under.read("a/1");

  await soon(() => committed(under) === 1);
  expect(under.started).toEqual(["a/1"]);
  expect(under.output.sent).toHaveLength(1);
  expect(under.log.lines.map(({ event }) => event)).toContain(
    "record.aftermathFailed",
  );
});

test("a dead letter that is acknowledged is written once, though its metric throws", async () => {
  const under = await runners.started([], throwing);

  under.read("a/1");
  under.handlingOf("a/1").reject();

  await soon(() => committed(under) === 1);
  expect(under.output.sent).toHaveLength(1);
});

test("a record that was deferred is never handled, though the metric of deferrals throws", async () => {
  const deferred: string[] = [];
  const under = await runners.started([], {
    ...throwing,
    limits: { maxOpenPerPartition: 20 },
    stage: {
      defer: ({ value }) => {
        deferred.push(value);
        return [outputOf(value)];
      },
    },
  });
  under.read(...inOneLane("slow", 20));

  // The tick relieves the lane once it has been measured for long enough.
  under.clock.advance(1000);
  await soon(() => deferred.length > 0);
  await soon(() => under.consumer.commits.length > 0);
  under.handlingOf("slow/0").emit();
  for (let n = 1; n < 20 - deferred.length; n++) {
    await soon(() => under.handling.length > 0);
    under.handling[0]!.emit();
  }

  await soon(() => committed(under) === 20);
  expect(under.started.filter((value) => deferred.includes(value))).toEqual([]);
  expect(under.output.sent).toHaveLength(20);
});

test("a stage whose `defer` throws loses nothing: the record is handled after all", async () => {
  const under = await runners.started([], {
    limits: { maxOpenPerPartition: 4 },
    stage: { defer: () => fail() },
  });
  under.read(...inOneLane("slow", 4));
  under.clock.advance(1000);
  await soon(() => under.log.of("record.handlerFailed").length > 0);

  while (committed(under) !== 4) {
    under.handling[0]?.emit();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  expect(under.started.toSorted()).toEqual(inOneLane("slow", 4));
});

test("a chunk that the output refuses is sent again; neither the chunk before it nor the handler is repeated", async () => {
  const records = Array.from({ length: 1201 }, (_, n) => outputOf(`${n}`));
  let handled = 0;
  const under = await runners.started([], {
    stage: {
      handle: async () => {
        handled++;
        return { kind: "emit", records };
      },
    },
  });
  under.output.refusals.push(null, new Error("not now"));

  under.read("a/1");

  await soon(() => committed(under) === 1);
  expect(handled).toBe(1);
  expect(under.output.sent.flatMap((sent) => sent.records)).toEqual(records);
});

test.each([
  [
    "its handler",
    (unfit: Error) => {
      throw unfit;
    },
  ],
  ["its handler's promise", (unfit: Error) => Promise.reject(unfit)],
  [
    "an iterable of its verdict",
    (unfit: Error): Verdict => ({
      kind: "emit",
      // oxlint-disable-next-line require-yield -- it throws before its first record
      records: (function* () {
        throw unfit;
      })(),
    }),
  ],
] as const)(
  "a record becomes a dead letter, once, where %s throws that a value does not fit its schema",
  async (_, handle) => {
    const unfit = new UnfitValueError(outputOf("x"), "step", "int");
    let handled = 0;
    const under = await runners.started([], {
      stage: {
        handle: () => {
          handled++;
          return handle(unfit);
        },
        unread: (raw, reason, detail) => [
          outputOf(`${raw.offset} ${reason} ${detail}`),
        ],
      },
    });

    under.consumer.append(0, "a/1");
    under.consumer.deliver();

    await soon(() => committed(under) === 1);
    expect(handled).toBe(1);
    expect(under.output.sent).toMatchObject([
      {
        source: { offset: 0 },
        records: [
          {
            topic: "dead-letters",
            value: { reason: "invalid", detail: unfit.message },
          },
          {
            topic: "attempts",
            value: Buffer.from(`0 invalid ${unfit.message}`),
          },
        ],
      },
    ]);
  },
);

test("a record whose output is refused stays open, and a stop does not wait for it", async () => {
  const under = await runners.started([], { isPrompt: true });
  under.output.refusals.push(
    ...Array.from({ length: 9 }, () => new Error("no")),
  );
  under.read("a/1");
  await soon(() => under.log.of("record.handlerFailed").length > 0);

  await under.runner.stop(under.clock.now() + 60_000);

  expect(under.output.sent).toEqual([]);
  expect(under.consumer.commits).toEqual([]);
});

test("what a stage wants beside the dead letter of a record it never saw is written with it", async () => {
  const under = await runners.started([], {
    stage: {
      unread: (raw, reason, detail) => [
        outputOf(`${raw.offset} ${reason} ${detail}`),
      ],
    },
  });

  under.read("!", null);

  await soon(() => committed(under) === 2);
  const written = under.output.sent.map(({ records }) =>
    records.map(({ topic, value }) =>
      Buffer.isBuffer(value) ? `${topic}: ${String(value)}` : topic,
    ),
  );
  expect(written).toEqual([
    ["dead-letters", "attempts: 0 unreadable a bang"],
    [
      "dead-letters",
      expect.stringMatching(/^attempts: 1 unreadable The decoder failed/),
    ],
  ]);
});
