import { expect, test } from "@jest/globals";
import {
  resumeSentence,
  stateSentence,
  waitingSentence,
} from "./endpoint-sentences.ts";

test("a word that this page does not know is shown as it is", () => {
  expect(stateSentence("sleeping")).toBe("It is sleeping.");
  expect(waitingSentence("moon_phase", 2)).toBe(
    "2 deliveries wait (moon phase)",
  );
});

test.each([
  ["retry", 1, "1 delivery waits for another attempt after a failed one"],
  ["paused", 1_204, "1,204 deliveries wait for a resume (parked)"],
])("%s of %d", (reason, count, sentence) => {
  expect(waitingSentence(reason, count)).toBe(sentence);
});

const resume = {
  state: "running",
  detail: null,
  read: 3,
  total: 3,
  sent: 2,
  unreadable: 0,
  lost: 0,
};

test.each([
  [
    {},
    "Resuming: 2 deliveries sent; waiting until no dispatcher parks any more.",
  ],
  [{ read: 1 }, "Resuming: 2 deliveries sent, more to read."],
  [{ state: "done" }, "Resumed: 2 deliveries sent."],
  [
    { state: "done", lost: 1 },
    "Resumed: 2 deliveries sent. 1 dead letter could not be read: publish those events again if the receiver needs them.",
  ],
  [
    { state: "cancelled" },
    "The resume was stopped: 2 deliveries sent. The rest stays parked.",
  ],
])("a resume that is %j", (how, sentence) => {
  expect(resumeSentence({ ...resume, ...how })).toBe(sentence);
});
