import { expect, test } from "@jest/globals";
import { failingBody, failuresAsked } from "./failures.ts";

test.each([1, 6, 99])("a body asks to be refused %i times", (times) => {
  const body = failingBody(times, 1024);

  expect(body).toHaveLength(1024);
  expect(JSON.parse(body.toString())).toMatchObject({ fail: times });
  expect(failuresAsked(body)).toBe(times);
});

test.each(['{"text":"x"}', '{"fail":"x"}', '{"foo":1}', "", "{"])(
  "the body %j is never refused",
  (text) => {
    expect(failuresAsked(Buffer.from(text))).toBe(0);
  },
);
