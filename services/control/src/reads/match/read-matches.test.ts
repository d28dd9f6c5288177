import { expect, test } from "@jest/globals";
import { compileFilter } from "@postrider/filter";
import { fakeClock } from "@postrider/testkit";
import type { MatchAsked } from "./match-asked.ts";
import type { MatchRow } from "./match-sql.ts";
import { readMatches } from "./read-matches.ts";

function asked(expression: string): MatchAsked {
  const compiled = compileFilter(expression);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  return {
    filter: compiled.filter,
    tenantId: "acme",
    eventTypes: ["*"],
    eventId: null,
    since: 0,
    until: null,
  };
}

function aRow(id: string, payload: string, over: Partial<MatchRow> = {}) {
  return {
    id,
    type: "order.paid",
    occurred: null,
    body: Buffer.from(payload).toString("base64"),
    kept: payload.length,
    bytes: payload.length,
    topic: "events",
    partition: 0,
    offset: 1,
    ...over,
  };
}

/** Answers with these pages, one after another; each takes so long. */
function aReading(pages: readonly (readonly MatchRow[])[], pageMs = 0) {
  const clock = fakeClock();
  const after: unknown[] = [];
  const left = [...pages];
  const events = pages.flat().length;
  const reading = {
    select: async <Row>(
      _: string,
      values: Readonly<Record<string, unknown>>,
    ): Promise<Row[]> => {
      if (after.length === 0) {
        after.push("count");
        return [{ events }] as Row[];
      }
      after.push(values["afterId"]);
      clock.advance(pageMs);
      return [...(left.shift() ?? [])] as Row[];
    },
  };
  return { reading, clock, after };
}

const still = new AbortController().signal;

test("every page is read, each behind the last event of the one before, and what the filter says is counted", async () => {
  const { reading, clock, after } = aReading([
    [
      aRow("a", '{"total":101}'),
      aRow("b", '{"total":1}'),
      aRow("c", "{}"),
      aRow("d", "", { bytes: 7 }),
    ],
    [aRow("e", '{"total":102}'), aRow("f", "{}"), aRow("g", "no JSON")],
  ]);

  const counts = await readMatches(asked("payload.total > 100"), {
    reading,
    clock,
    gone: still,
  });

  expect(counts).toEqual({
    events: 7,
    read: 7,
    passed: 2,
    filtered: 1,
    failed: 3,
    unknown: 1,
    failures: [
      { reason: "column 8, at `.total > 100`: no such key", count: 2 },
      { reason: "the payload is not JSON: at character 1", count: 1 },
    ],
  });
  expect(after).toEqual(["count", undefined, "d", "g"]);
});

test("a filter that reads no payload knows what it says of one that was not kept", async () => {
  const { reading, clock } = aReading([[aRow("a", "", { bytes: 7 })]]);

  const counts = await readMatches(asked("event.type == 'order.paid'"), {
    reading,
    clock,
    gone: still,
  });

  expect(counts).toMatchObject({ read: 1, passed: 1, unknown: 0 });
});

test("after some seconds it stops, and says how many of how many it has read", async () => {
  const pages = Array.from({ length: 10 }, (_, n) => [aRow(`${n}`, "{}")]);
  const { reading, clock } = aReading(pages, 3_000);

  const counts = await readMatches(asked("true"), {
    reading,
    clock,
    gone: still,
  });

  expect(counts).toMatchObject({ events: 10, read: 2, passed: 2 });
});

test("for a caller that has gone nothing more is read", async () => {
  const { reading, clock, after } = aReading([[aRow("a", "{}")]]);

  const counts = await readMatches(asked("true"), {
    reading,
    clock,
    gone: AbortSignal.abort(),
  });

  expect(counts.read).toBe(0);
  expect(after).toEqual(["count"]);
});

test("of many reasons the most frequent are told", async () => {
  const rows = Array.from({ length: 300 }, (_, n) =>
    aRow(`${n}`, `${" ".repeat(n % 150)}x`),
  );
  const { reading, clock } = aReading([rows]);

  const { failed, failures } = await readMatches(asked("payload.a"), {
    reading,
    clock,
    gone: still,
  });

  expect(failed).toBe(300);
  expect(failures).toHaveLength(5);
});
