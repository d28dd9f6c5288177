import { expect, test } from "@jest/globals";
import { ProblemError } from "@postrider/http";
import { OutputStoppedError } from "@postrider/messaging";
import { anEndpoint, testEffects } from "@postrider/testkit";
import { createTestSender } from "./test-sender.ts";

/** A sender whose audit trail can be written. */
function aSender(send: () => Promise<void>) {
  const effects = testEffects();
  const audited: unknown[] = [];
  const sender = createTestSender({
    ...effects,
    tenureWriter: {
      inTurn: (work) => work(),
      inSpareTurn: (work) => work(),
      owner: () => ({
        ended: new AbortController().signal,
        producer: { send: async () => [], disconnect: async () => {} },
        fail: () => {},
      }),
      write: async (_, records) => void audited.push(...records),
    },
    table: { get: (id) => anEndpoint({ id, state: "enabled" }) },
    auditTrail: {
      recordOf: () => ({
        topic: "audit",
        partition: 0,
        key: null,
        value: Buffer.alloc(0),
      }),
    },
    send,
    newEventId: () => "test_1",
  });
  return { sender, audited, log: effects.log };
}

const TERMS = {
  callersTenant: null,
  cause: { actor: "key_1", why: "ticket 7", requestId: "req-7" },
};

test("a test that Kafka does not take is a 503 with what may have become of it, and not told as sent", async () => {
  const cause = new OutputStoppedError("the output is stopped");
  const { sender, audited, log } = aSender(() => Promise.reject(cause));

  const problem = await sender.send("ep_1", TERMS).catch((error) => error);

  expect(problem).toBeInstanceOf(ProblemError);
  expect(problem).toMatchObject({
    code: "kafka_unavailable",
    status: 503,
    message: expect.stringMatching(/may still be sent, as dlv_[\w-]+: look at/),
    headers: { "retry-after": "1" },
  });
  expect(problem.cause).toBe(cause);
  expect(audited).toHaveLength(1);
  expect(log.of("endpoint.tested")).toEqual([]);
});
