import { expect, test } from "@jest/globals";
import { isTracestate, readTraceContext } from "./trace-context.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test.each([
  ["both", TRACEPARENT, "a=1,b=2", TRACEPARENT, "a=1,b=2"],
  ["no tracestate", TRACEPARENT, undefined, TRACEPARENT, null],
  ["a broken tracestate", TRACEPARENT, "a=\r\nx: y", TRACEPARENT, null],
  ["no traceparent", undefined, "a=1", null, null],
  ["a broken traceparent", "00-1-2-03", "a=1", null, null],
])(
  "of two headers, %s: what is valid is taken over",
  (_, traceparent, tracestate, expected, kept) => {
    expect(readTraceContext(traceparent, tracestate)).toEqual({
      traceparent: expected,
      tracestate: kept,
    });
  },
);

test("a tracestate is printable ASCII of 512 characters at most", () => {
  expect(isTracestate(`a=${"x".repeat(510)}`)).toBe(true);
  for (const text of ["", `a=${"x".repeat(511)}`, "a=ü", "a=\t"])
    expect(isTracestate(text)).toBe(false);
});
