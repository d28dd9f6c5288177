/** The lane of an endpoint whose breaker is not closed, in a runner on fakes: what is attempted, what waits, and what is deferred. */
import { expect, test } from "@jest/globals";
import type { Delivery } from "@postrider/core";
import { inOneLane, soon, turns, useStageRunner } from "@postrider/testkit";
import { answered, aStage, registered } from "../../fixtures/deliver-stage.ts";
import type { SendResult } from "../send/attempt-result.ts";

const runners = useStageRunner();

/** A runner that has fetched `count` deliveries of one endpoint, which answers `results`. */
async function aRunner(
  count: number,
  results: readonly (SendResult | Promise<SendResult>)[],
  fields: Partial<Delivery> = {},
) {
  const { stage, clock, requests, record } = aStage(
    [registered({ maxConcurrency: 16 })],
    [...results],
  );
  const under = await runners.started([], {
    clock,
    stage: {
      laneConcurrency: (lane) => stage.laneConcurrency(lane),
      laneStanding: (lane) => stage.laneStanding?.(lane) ?? "proven",
      laneOf: () => "ep_1",
      handle: ({ value }, signal) =>
        stage.handle(record({ ...fields, deliveryId: value }), signal),
    },
  });
  under.consumer.append(0, ...inOneLane("dlv", count));
  while (under.consumer.deliver());
  const sent = (topic: string) =>
    under.output.sent
      .flatMap(({ records }) => records)
      .filter((each) => each.topic.startsWith(topic)).length;
  return { under, requests, sent, deferred: () => sent("retry.") };
}

const answers = (count: number) =>
  Array.from({ length: count }, () => Promise.withResolvers<SendResult>());
const silence = new Promise<SendResult>(() => undefined);

test("while the probes are under way the others stay in their lane, and go on when the endpoint has answered all three", async () => {
  const probes = answers(3);
  const waiting = probes.map(({ promise }) => promise);
  const { requests, deferred } = await aRunner(
    2_000,
    [...waiting, answered(200)],
    { deferralReason: "breaker_open", step: 4 },
  );
  await soon(() => requests.length === 3);

  for (const probe of probes) {
    await turns();
    expect(requests).toHaveLength(3);
    expect(deferred()).toBe(0);
    probe.resolve(answered(200));
  }

  await soon(() => requests.length === 2_000);
  expect(deferred()).toBe(0);
});

test.each([
  ["the breaker opens", answered(503)],
  ["the endpoint asks for a pause", answered(429, { retryAfter: "30" })],
])(
  "when %s all that waits is deferred, though attempts are under way",
  async (_when, result) => {
    const failing = answers(10);
    const { requests, deferred } = await aRunner(500, [
      // The concurrency grows from 2 to 16.
      ...Array.from({ length: 14 }, () => answered(200)),
      ...failing.map(({ promise }) => promise),
      silence,
    ]);
    await soon(() => requests.length === 14 + 16);

    for (const one of failing) one.resolve(result);

    await soon(() => deferred() > 0);
    await turns();
    expect(deferred()).toBe(500 - requests.length + 10);
    expect(requests.length).toBeLessThanOrEqual(14 + 16 + 10);
  },
);
