import { expect, test } from "@jest/globals";
import { OutputPace, type Waiting } from "./output-pace.ts";

const NOBODY: Waiting = {
  hurried: 0,
  hurriedSince: -Infinity,
  lingersUntil: Infinity,
};

/** A pace whose last request began at 100, and took so many hurried records. */
function paceAfter(hurried: number): OutputPace {
  const pace = new OutputPace();
  pace.begun(100, hurried);
  return pace;
}

test("the first hurried record does not wait", () => {
  const pace = new OutputPace();

  const dueAt = pace.dueAt({ ...NOBODY, hurried: 1, hurriedSince: 50 });

  expect(dueAt).toBeLessThan(50);
});

test.each([
  { hurried: 1, after: 16 },
  { hurried: 7, after: 16 },
  { hurried: 8, after: 8 },
  { hurried: 500, after: 8 },
])(
  "while more come, $hurried of them wait until $after ms after the last request",
  ({ hurried, after }) => {
    const dueAt = paceAfter(1).dueAt({
      ...NOBODY,
      hurried,
      hurriedSince: 100 + after - 1,
    });

    expect(dueAt).toBe(100 + after);
  },
);

test("if as many wait as the last request took, they go once none has come for 5 ms: perhaps those who send wait for the acknowledgement", () => {
  const waiting = { ...NOBODY, hurriedSince: 102 };

  expect(paceAfter(3).dueAt({ ...waiting, hurried: 3 })).toBe(107);
  expect(paceAfter(3).dueAt({ ...waiting, hurried: 2 })).toBe(116);
});

test("a record that nobody waits for goes when it has lingered, or with any that goes sooner", () => {
  const lingering = { ...NOBODY, lingersUntil: 140 };

  expect(paceAfter(1).dueAt(lingering)).toBe(140);
  expect(
    paceAfter(1).dueAt({ ...lingering, hurried: 1, hurriedSince: 115 }),
  ).toBe(116);
});

test("a hurried record goes with one that has lingered", () => {
  const waiting = { hurried: 1, hurriedSince: 103, lingersUntil: 104 };

  expect(paceAfter(1).dueAt(waiting)).toBe(104);
});
