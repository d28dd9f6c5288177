import { expect, test } from "@jest/globals";
import type { Outcome } from "@postrider/core";
import { EndpointConcurrency } from "./endpoint-concurrency.ts";

function after(cap: number, ...outcomes: readonly Outcome[]) {
  const lanes = new EndpointConcurrency({ monotonic: () => 0 });
  for (const outcome of outcomes) {
    lanes.begin("ep", cap);
    lanes.ended("ep", { outcome, isBodyLate: false });
  }
  return lanes.standingOf("ep");
}

const ANSWERED = Array.from({ length: 100 }, (): Outcome => "delivered");

test.each([1, 2, 3, 4, 16])(
  "one time-out among many answers leaves an endpoint proven, also with a cap of %i",
  (cap) => {
    expect(after(cap, ...ANSWERED, "timeout")).toBe("proven");
    expect(after(cap, ...ANSWERED, "timeout", "delivered", "timeout")).toBe(
      "proven",
    );
  },
);

test.each([1, 2, 3])(
  "two attempts in a row without an answer make an endpoint with a cap of %i suspect, until it answers",
  (cap) => {
    expect(after(cap, ...ANSWERED, "timeout", "connection_refused")).toBe(
      "suspect",
    );
    expect(
      after(cap, ...ANSWERED, "timeout", "connection_refused", "http_error"),
    ).toBe("proven");
  },
);

test("an endpoint that has never answered is suspect after one time-out", () => {
  expect(after(16, "timeout")).toBe("suspect");
});
