import { beforeEach, describe, expect, test } from "@jest/globals";
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

test("an endpoint that has never answered stays unknown while its first attempts wait", () => {
  let now = 0;
  const lanes = new EndpointConcurrency({ monotonic: () => now });
  lanes.begin("ep", 16);
  now = 10_000;

  expect(lanes.standingOf("ep")).toBe("unknown");
});

describe("an endpoint that answered before", () => {
  let now: number;
  let lanes: EndpointConcurrency;

  beforeEach(() => {
    now = 0;
    lanes = new EndpointConcurrency({ monotonic: () => now });
    lanes.begin("ep", 16);
    lanes.ended("ep", { outcome: "delivered", isBodyLate: false });
  });

  const standingAt = (at: number): string => {
    now = at;
    return lanes.standingOf("ep");
  };

  test("is quiet once its attempts have waited a second, long before they time out", () => {
    lanes.begin("ep", 16);

    expect(standingAt(1_000)).toBe("proven");
    expect(standingAt(1_001)).toBe("quiet");
  });

  test("stays quiet while a time-out leaves others in flight, and not for a lone one", () => {
    lanes.begin("ep", 16);
    lanes.begin("ep", 16);
    now = 15_000;
    lanes.ended("ep", { outcome: "timeout", isBodyLate: false });
    expect(standingAt(15_000)).toBe("quiet");

    lanes.ended("ep", { outcome: "delivered", isBodyLate: true });
    expect(standingAt(15_000)).toBe("proven");
  });

  test.each(["delivered", "http_error", "connection_reset"] as const)(
    "is proven again by the end %s of one attempt, although others wait longer",
    (outcome) => {
      lanes.begin("ep", 16);
      lanes.begin("ep", 16);
      now = 1_500;
      lanes.ended("ep", { outcome, isBodyLate: false });

      expect(standingAt(2_500)).toBe("proven");
      expect(standingAt(2_501)).toBe("quiet");
    },
  );

  test("is quiet after a body that has ended too late, while others wait", () => {
    lanes.begin("ep", 16);
    lanes.begin("ep", 16);
    now = 15_000;
    lanes.ended("ep", { outcome: "delivered", isBodyLate: true });

    expect(standingAt(15_000)).toBe("quiet");
  });

  test("is not quiet for an attempt that was never made", () => {
    lanes.begin("ep", 16);
    lanes.notSent("ep");

    expect(standingAt(60_000)).toBe("proven");
  });

  test("is not forgotten while an attempt is in flight", () => {
    lanes.begin("ep", 16);
    now = 20 * 60_000;
    lanes.begin("other", 16);

    expect(lanes.size).toBe(2);
  });
});
