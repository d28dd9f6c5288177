import { expect, test } from "@jest/globals";
import { DEAD_LETTER_REASONS, OUTCOMES } from "@postrider/core";
import type { Delivery } from "../api/answers.ts";
import {
  attemptSentence,
  deadLetterSentence,
  deferralSentence,
  leftOutSentence,
  standingSentence,
} from "./sentences.ts";

const attempt = { statusCode: null, durationMs: 12 };

test.each(OUTCOMES.filter((outcome) => outcome !== "http_error"))(
  "the outcome %s has a sentence of its own",
  (outcome) => {
    expect(attemptSentence({ ...attempt, outcome })).not.toContain("ended as");
  },
);

test.each(DEAD_LETTER_REASONS)(
  "the reason %s has a sentence of its own",
  (reason) => {
    expect(deadLetterSentence(reason)).not.toContain("was given up:");
  },
);

test.each([
  [503, "The receiver answered 503. The fault is on the receiver's side."],
  [
    404,
    "The receiver answered 404. The receiver has nothing at this path: look at the endpoint's URL.",
  ],
  [
    418,
    "The receiver answered 418. The receiver does not accept this request.",
  ],
])("a %d says what it means", (statusCode, sentence) => {
  expect(
    attemptSentence({ ...attempt, outcome: "http_error", statusCode }),
  ).toBe(sentence);
});

test("words of a newer control are shown as they are", () => {
  expect(attemptSentence({ ...attempt, outcome: "melted" })).toContain(
    "melted",
  );
  expect(deferralSentence("full_moon")).toContain("full_moon");
  expect(deadLetterSentence("constructor_gone")).toContain("constructor_gone");
  expect(leftOutSentence("no_luck")).toBe("no luck.");
});

const delivery: Delivery = {
  id: "dlv_1",
  tenantId: "acme",
  endpointId: "ep_1",
  eventId: "e",
  eventType: "order.paid",
  status: "pending",
  attempts: 0,
  outcome: null,
  statusCode: null,
  errorCode: null,
  durationMs: 0,
  receivedAt: null,
  changedAt: null,
  nextAttemptAt: null,
  deferralReason: null,
  deadLetterReason: null,
  replayId: null,
};

test.each([
  [{}, "Waiting for the first attempt."],
  [{ status: "delivered", attempts: 1 }, "Delivered after 1 attempt."],
  [
    { status: "failed", attempts: 2 },
    "The last of 2 attempts failed; another one will be made.",
  ],
  [
    { status: "failed", attempts: 2, deferralReason: "rate_limited" },
    "Waiting after 2 attempts. The endpoint's rate limit is used up for now.",
  ],
  [
    { status: "expired", attempts: 3, deadLetterReason: "exhausted" },
    "Given up after 3 attempts. All attempts are used up.",
  ],
  [
    { status: "failed", attempts: 1, deadLetterReason: "paused" },
    "It is parked, because its endpoint is paused: a resume sends it.",
  ],
])("%j: %s", (given, sentence) => {
  expect(standingSentence({ ...delivery, ...given })).toBe(sentence);
});
