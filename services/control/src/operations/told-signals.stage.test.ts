import { expect, test } from "@jest/globals";
import type { Signal } from "@postrider/core";
import type { Stage, Verdict } from "@postrider/messaging";
import { anEndpoint, aRawRecord, aSignal } from "@postrider/testkit";
import { createToldSignalsStage } from "./told-signals.stage.ts";

function aStage(verdict: Verdict = { kind: "emit", records: [] }) {
  const handled: Signal[] = [];
  const paced: AbortSignal[] = [];
  const gone: Stage<Signal> = {
    laneOf: ({ value }) => value.endpointId,
    laneConcurrency: () => 1,
    async handle({ value }) {
      handled.push(value);
      return verdict;
    },
  };
  const stage = createToldSignalsStage({
    gone,
    endpoints: { get: () => anEndpoint() },
    operationsTenant: "ops",
    pace: async (signal) => {
      signal.throwIfAborted();
      paced.push(signal);
    },
  });
  const handle = async (
    fields: Partial<Signal>,
    signal = new AbortController().signal,
  ) =>
    await stage.handle({ raw: aRawRecord(), value: aSignal(fields) }, signal);
  return { handle, handled, paced };
}

test("a signal that is told is followed by its event, in its turn", async () => {
  const { handle, handled, paced } = aStage();

  const verdict = await handle({ kind: "breaker_opened" });

  expect(verdict).toMatchObject({
    kind: "emit",
    records: [{ topic: "events", value: { type: "postrider.breaker.opened" } }],
  });
  expect(handled).toHaveLength(1);
  expect(paced).toHaveLength(1);
});

test.each([
  ["of the operator's own tenant", { kind: "breaker_opened", tenantId: "ops" }],
  ["that is not told", { kind: "gone" }],
])("a signal %s waits for no turn, and nothing follows", async (_what, of) => {
  const { handle, paced } = aStage();

  expect(await handle(of)).toEqual({ kind: "emit", records: [] });
  expect(paced).toEqual([]);
});

test("a signal that is refused stays refused", async () => {
  const refusal = { kind: "reject", reason: "invalid", detail: "x" } as const;
  const { handle } = aStage(refusal);

  expect(await handle({ kind: "disabled" })).toBe(refusal);
});

test("a signal whose turn does not come before the runner stops stays open", async () => {
  const { handle } = aStage();

  const handled = handle(
    { kind: "disabled" },
    AbortSignal.abort(new Error("stopping")),
  );

  await expect(handled).rejects.toThrow("stopping");
});
