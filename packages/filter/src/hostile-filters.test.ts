/** What an evaluation costs is counted, not timed: its steps stay within what one filter may take, whatever is asked. */
import { expect, test } from "@jest/globals";
import { compileFilter } from "./compile-filter.ts";
import { FilterSubject } from "./filter-subject.ts";
import { MAX_STEPS } from "./judge.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const HUGE = new FilterSubject(
  { id: "evt_1", type: "order.paid", tenantId: "acme", occurredAt: 0 },
  Buffer.from(
    JSON.stringify({
      list: numbers(20_000),
      few: numbers(200),
      text: "a".repeat(100_000),
      other: `${"a".repeat(99_999)}b`,
      objects: numbers(3_000).map((n) => ({ n, s: `s${n}` })),
      keys: Object.fromEntries(numbers(5_000).map((n) => [`k${n}`, n])),
    }),
  ),
);

/** How often the evaluation may have gone on after its last step: the expression itself has few parts. */
const REST = 1_000;

function judged(expression: string, allowance?: number) {
  const compiled = compileFilter(expression);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  return compiled.filter.judge(HUGE, allowance);
}

const doubled = (times: number) => ".map(x, x + x)".repeat(times);

test.each([
  ["payload.list.exists(x, x < 0)"],
  ["payload.objects.exists(x, x.s == 'none')"],
  ["payload.list.all(x, payload.list.all(y, x + y >= 0))"],
  [
    "payload.few.exists(x, payload.few.exists(y, payload.few.exists(z, x + y + z < 0)))",
  ],
  ["payload.few.all(x, payload.few.all(y, payload.nope) || true)"],
  [
    "payload.few.all(x, payload.text.contains('aaaaaaaaaaaaaaaaaaaaab') || true)",
  ],
  ["payload.few.all(x, payload.text < payload.text + 'a')"],
  ["payload.few.all(x, size(payload.text) > 0)"],
  ["payload.few.all(x, bytes(payload.text) == bytes(payload.text))"],
  ["payload.few.all(x, x in payload.list || true)"],
  ["payload.text in payload.few.map(x, payload.other)"],
  [
    "[bytes(payload.text)].exists(b, [bytes(payload.other)].exists(c, b in payload.few.map(x, c)))",
  ],
  ["payload.few.all(x, payload.keys[x] == 1 || true)"],
  [
    "payload.few.all(x, timestamp('2026-01-01T00:00:00Z') == timestamp('x') || true)",
  ],
  ["payload.objects == payload.objects.map(x, x)"],
  ["payload.objects == payload.objects"],
  ["payload.keys == payload.keys"],
  [`['ab']${doubled(40)}[0].size() > 1`],
  [`[[1]]${doubled(40)}[0].size() > 1`],
  ["payload.few.map(x, payload.few.map(y, payload.few)).size() > 1"],
])("%s is given up", (expression) => {
  const result = judged(expression);

  expect(result).toMatchObject({
    kind: "failed",
    reason: expect.stringMatching(/^it takes too many steps/),
  });
});

test.each([
  ["payload.few.all(x, x >= 0)"],
  ["payload.objects.size() == 3000"],
  ["payload.text.startsWith('aaa')"],
  ["payload.keys.k4999 == 4999"],
  ["has(payload.keys.k7) && !has(payload.keys.none)"],
  ["payload.list[19999] == 19999"],
  ["payload.few.filter(x, x % 2 == 0).size() == 100"],
])("%s is within what a filter may take", (expression) => {
  const { kind, steps } = judged(expression);

  expect(kind).toBe("passed");
  expect(steps).toBeLessThanOrEqual(MAX_STEPS);
});

test("a loop costs as much as its body at each turn", () => {
  const one = judged("payload.few.all(x, x >= 0)").steps;
  const two = judged("payload.few.all(x, x >= 0 && x >= 0 && x >= 0)").steps;

  expect(one).toBeGreaterThan(200 * 5);
  expect(two).toBeGreaterThan(one + 200 * 6);
});

test("fewer steps may be allowed, and what was left of them is no longer taken", () => {
  const expression = "payload.few.all(x, x >= 0)";

  expect(judged(expression, 100).kind).toBe("failed");
  expect(judged(expression, 100).steps).toBeLessThan(100 + REST);
  expect(judged("event.type == 'order.paid'", 20).kind).toBe("passed");
  expect(judged(expression).kind).toBe("passed");
});

test("an evaluation ends soon after its steps are used up, also where errors are caught", () => {
  const { steps } = judged(
    "payload.few.all(x, (payload.few.all(y, payload.nope) || true) && (payload.few.all(y, payload.nope) || true))",
  );

  expect(steps).toBeLessThan(MAX_STEPS + REST);
});

test("the stacks of errors outside are as long as before", () => {
  const before = Error.stackTraceLimit;

  judged("payload.nope == 1");

  expect(Error.stackTraceLimit).toBe(before);
});
