import { expect, test } from "@jest/globals";
import { createUrlJudge } from "./url-judge.ts";

const aJudge = () =>
  createUrlJudge({ allowHttp: false, allowedCidrs: [], deniedCidrs: [] });

test("a URL is judged once", () => {
  const judge = aJudge();

  const first = judge("https://example.com/hook");

  expect(judge("https://example.com/hook")).toBe(first);
  expect(first).toMatchObject({ ok: true, url: { path: "/hook" } });
});

test("of many URLs the first is judged again, sooner if they are long", () => {
  const lastsFor = (path: string): number => {
    const judge = aJudge();
    const first = judge("https://example.com/");
    for (let count = 1; ; count += 1) {
      judge(`https://example.com/${count}/${path}`);
      if (judge("https://example.com/") !== first) return count;
    }
  };

  expect(lastsFor("")).toBe(10_000);
  // Each is kept in three forms, of which two write 9 characters for one of these.
  const long = lastsFor("你".repeat(1_800));
  expect(long * 1_800 * (1 + 2 * 9)).toBeLessThan(20_000_000);
});
