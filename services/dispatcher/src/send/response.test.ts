import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { ResponseSoFar } from "./response.ts";

const TOO_MUCH = 70_000;

test("of a body in any pieces the first 16 KiB are kept, in one buffer of no more, and at most 64 KiB are read", () => {
  const whole = Buffer.from(
    Array.from({ length: TOO_MUCH }, (_, n) => n & 0xff),
  );
  const sizes = fc.array(fc.integer({ min: 0, max: 20_000 }), {
    maxLength: 30,
  });

  fc.assert(
    fc.property(sizes, (pieces) => {
      const answer = new ResponseSoFar();
      answer.start(200, {});
      let read = 0;
      for (const size of pieces) {
        const chunk = whole.subarray(read, read + size);
        read += chunk.length;
        if (!answer.data(chunk)) break;
      }

      const { responseBody, responseBytes } = answer.result(null);
      expect(responseBytes).toBe(read);
      expect(responseBody).toEqual(whole.subarray(0, Math.min(read, 16_384)));
    }),
  );
});

test("a body that comes byte by byte is kept as one buffer", () => {
  const answer = new ResponseSoFar();
  answer.start(500, {});

  for (let n = 0; n < 20_000; n++) answer.data(Buffer.of(n & 0xff));

  const { responseBody } = answer.result(null);
  expect(responseBody).toHaveLength(16_384);
  expect(responseBody.buffer.byteLength).toBeLessThanOrEqual(16_384 * 4);
});

test("a failure after a final status changes nothing but is noted", () => {
  const answer = new ResponseSoFar();
  answer.start(204, { "retry-after": ["3", "4"] });

  expect(
    answer.result({
      kind: "outcome",
      outcome: "connection_reset",
      errorCode: "ECONNRESET",
      error: "connection reset by peer",
    }),
  ).toMatchObject({
    outcome: "delivered",
    statusCode: 204,
    errorCode: "ECONNRESET",
    error: "the body broke off: connection reset by peer",
    retryAfter: "3",
  });
});
