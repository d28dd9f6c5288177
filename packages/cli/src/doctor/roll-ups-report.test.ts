import { expect, test } from "@jest/globals";
import { EXIT } from "../cli-error.ts";
import type { RollUpRepair, RollUpVerdict } from "@postrider/core";
import { exitCodeOf } from "./roll-ups-report.ts";

const none = { buckets: 0, by: {} };
const equal: RollUpVerdict = { kind: "equal", attempts: 9 };
const short: RollUpVerdict = {
  kind: "differs",
  attempts: 9,
  counted: 8,
  short: { buckets: 1, by: { attempts: 1 } },
  over: none,
};
const over: RollUpVerdict = { ...short, short: none, over: short.short };
const notJudged: RollUpVerdict = { kind: "notJudged", why: "it is too old" };
const repaired = (after: RollUpVerdict): RollUpRepair => ({
  kind: "repaired",
  before: short,
  after,
  dropped: [],
});

test.each<[string, RollUpVerdict, RollUpRepair | null, number]>([
  ["equal", equal, null, EXIT.done],
  ["short, and only compared", short, null, EXIT.failed],
  ["repaired", short, repaired(equal), EXIT.done],
  ["repaired, and over beside it", short, repaired(over), EXIT.failed],
  ["refused", short, { kind: "refused", why: "rows came" }, EXIT.refused],
  [
    "repaired by another run meanwhile",
    short,
    { kind: "nothingToDo", before: equal },
    EXIT.done,
  ],
  [
    "over by the time of the repair",
    short,
    { kind: "nothingToDo", before: over },
    EXIT.failed,
  ],
  ["not judged", notJudged, null, EXIT.done],
])("the exit code says what is now: %s", (_, verdict, repair, expected) => {
  const of = { day: "2026-11-27", table: "endpoint_hour" } as const;
  const report = {
    verdicts: [{ ...of, verdict }],
    repairs: repair === null ? [] : [{ ...of, repair }],
  };
  const options = { day: null, isToRepair: repair !== null, isForced: false };

  expect(exitCodeOf(report, options)).toBe(expected);
});

test("the one day that was to be repaired and cannot be judged is a refusal", () => {
  const day = "2026-11-27";
  const verdicts = [
    { day, table: "endpoint_hour" as const, verdict: notJudged },
  ];
  const options = { day, isToRepair: true, isForced: false };

  expect(exitCodeOf({ verdicts, repairs: [] }, options)).toBe(EXIT.refused);
});
