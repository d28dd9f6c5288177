/** What is explained of an event that route has decided twice, because it was killed before it committed: two rows of one record, on a real ClickHouse. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Intake } from "@postrider/core";
import { anEndpoint, anIntake, useStack } from "@postrider/testkit";
import type { Explanation } from "../services/control/src/reads/explain/explanation.ts";
import { startRecorder, type Recorder } from "./cookbook/recorded.ts";
import { startReadServer, type ReadServer } from "./reads/read-server.ts";

const stack = useStack();
const AT = Date.now() - 60_000;
const ENDPOINT = anEndpoint();
let recorder: Recorder;
let server: ReadServer;

beforeAll(async () => {
  recorder = await startRecorder(stack.clickhouseUrl, stack.database);
  server = await startReadServer({
    url: stack.clickhouseUrl,
    database: stack.database,
    endpoints: [ENDPOINT],
  });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await recorder?.close();
});

/** One decision about the record, `afterMs` after it came in. */
function decided(
  decision: string,
  afterMs: number,
  more: Partial<Intake> = {},
): Intake {
  const isRouted = decision === "routed";
  return anIntake({
    receivedAt: AT,
    decidedAt: AT + afterMs,
    decision,
    deliveries: isRouted
      ? [{ deliveryId: `dlv_${afterMs}`, endpointId: ENDPOINT.id }]
      : [],
    ...more,
  });
}

/** Records the rows one after the other, as they were produced, and asks what became of the event. */
async function explained(
  eventId: string,
  rows: readonly Intake[],
): Promise<Explanation> {
  for (const row of rows)
    await recorder.record({ intakes: [{ ...row, eventId }] });
  const path = `/v1/events/${eventId}/explain?tenantId=acme`;
  const { status, body } = await server.ask<Explanation>(path);
  expect(status).toBe(200);
  return body;
}

test.each([
  ["first", [decided("routed", 5), decided("no_match", 900)]],
  ["second", [decided("no_match", 5), decided("routed", 900)]],
])(
  "the decision that made deliveries counts, also where it was the %s",
  async (which, rows) => {
    const { arrival, arrivals } = await explained(`routed-${which}`, rows);

    expect(arrival).toMatchObject({ decision: "routed" });
    expect(arrivals).toEqual({ count: 1, others: [] });
  },
);

test.each([
  ["the last", [decided("filtered", 5), decided("no_match", 900)]],
  ["not the last", [decided("no_match", 900), decided("filtered", 5)]],
])(
  "of two decisions that made none the later counts, where it is %s row",
  async (which, rows) => {
    const { arrival } = await explained(`none-${which.length}`, rows);

    expect(arrival).toMatchObject({
      decision: "no_match",
      decidedAt: new Date(AT + 900).toISOString(),
    });
  },
);

test("the endpoints that it names are those of the decision that counts, in all its parts and no other's", async () => {
  const older = ["ep_paused_then"];
  const newer = ["ep_paused_now"];
  const parts = (afterMs: number, ids: readonly string[], count: number) =>
    Array.from({ length: count }, (_, part) =>
      decided("routed", afterMs, {
        pausedEndpointIds: ids.map((id) => `${id}_${part}`),
        part,
        parts: count,
      }),
    );

  const { paused } = await explained("parts", [
    ...parts(5, older, 3),
    ...parts(900, newer, 2),
  ]);

  expect(paused.endpoints.map(({ id }) => id)).toEqual([
    "ep_paused_now_0",
    "ep_paused_now_1",
  ]);
});
