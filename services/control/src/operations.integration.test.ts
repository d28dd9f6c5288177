/** Operational events on a real Kafka and a real ClickHouse: from what happens to the records on `signals` and on `events`. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Signal, WebhookEvent } from "@postrider/core";
import { topicName } from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  aSignal,
  execute,
  readTopics,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { accessTo, useControl } from "../fixtures/running-control.ts";

const stack = useStack();
const control = useControl(stack);
const { effects, kafka, schemas, output, parts } = accessTo(stack);
const LONG = 120_000;
const TOLD = {
  POSTRIDER_OPERATIONS_TENANT: "ops",
  POSTRIDER_OPERATIONS_DEAD_LETTERS: "2",
};
let around: Lifecycle;

beforeAll(async () => {
  await stack.createAllTopics();
  const recorder = new URL("../../recorder/src/main.ts", import.meta.url);
  await promisify(execFile)(
    process.execPath,
    [fileURLToPath(recorder), "migrate"],
    { env: { ...process.env, ...control.env() } },
  );
  around = composeLifecycle(parts, effects);
  await around.start();
}, LONG);
afterAll(async () => await around.stop(Date.now() + 10_000), LONG);

/** What was told so far, each event once, with the payload parsed. It is told at least once: a new tenure may repeat it. */
async function told() {
  const raws = await readTopics(kafka, [topicName(stack.prefix, "events")]);
  const events = raws.map((raw) => {
    const decoded = schemas.decoderOf("events")(raw);
    if (decoded.kind !== "decoded") throw new Error(decoded.kind);
    const { id, type, tenantId, payload }: WebhookEvent = decoded.value;
    const { data } = JSON.parse(Buffer.from(payload).toString()) as {
      data: Readonly<Record<string, unknown>>;
    };
    return { id, type, tenantId, data, key: String(raw.key) };
  });
  return [...new Map(events.map((event) => [event.id, event])).values()];
}

/** What control has written to `signals` about the tenant, each once, oldest first. */
async function signalled(of: string) {
  const raws = await readTopics(kafka, [topicName(stack.prefix, "signals")]);
  const values = raws.map((raw) => {
    const decoded = schemas.decoderOf("signals")(raw);
    if (decoded.kind !== "decoded") throw new Error(decoded.kind);
    const { kind, tenantId, endpointId, detail, at } = decoded.value;
    return { kind, tenantId, endpointId, detail, at, key: String(raw.key) };
  });
  return values
    .filter(({ kind, tenantId }) => tenantId === of && OURS.has(kind))
    .toSorted((a, b) => a.at - b.at);
}
const OURS = new Set(["disabled", "dead_letters_growing", "replay_finished"]);

async function seen(fields: Partial<Signal>): Promise<void> {
  const value = aSignal({ ...fields, at: Date.now() });
  await output.send([{ topic: "signals", key: value.endpointId, value }]);
}

async function dead(tenantId: string, reasons: string): Promise<void> {
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.dead_letters (tenant_id, endpoint_id, dead_at, delivery_id, reason)
     SELECT '${tenantId}', 'ep_1', now64(3), concat('dlv_${tenantId}_', toString(number)), arrayJoin(${reasons}) FROM numbers(1)`,
  );
}

const aCreation = {
  tenantId: "acme",
  url: "https://example.com/hook",
  eventTypes: ["*"],
  externalId: "billing",
};

test(
  "without a tenant for it nothing is told, and signals have it",
  async () => {
    await dead("globex", "['exhausted', 'expired', 'paused']");
    await dead("calm", "['exhausted', 'paused']");
    const { ask } = await control.start({
      POSTRIDER_OPERATIONS_DEAD_LETTERS: "2",
    });
    const made = await waitFor(async () => {
      const answer = await ask("POST /v1/endpoints", {
        ...aCreation,
        tenantId: "globex",
      });
      return answer.status === 201 && answer.body;
    });

    await ask(`POST /v1/endpoints/${made.id}/disable`, { reason: "unpaid" });
    await ask(`POST /v1/endpoints/${made.id}/disable`, { reason: "still" });
    await ask(`DELETE /v1/endpoints/${made.id}`, undefined, {
      "if-match": "*",
    });

    const signals = await waitFor(async () => {
      const all = await signalled("globex");
      return all.length >= 2 && all;
    });
    const byKind = signals.toSorted((a, b) => (a.kind < b.kind ? 1 : -1));
    expect(byKind).toMatchObject([
      {
        kind: "disabled",
        tenantId: "globex",
        endpointId: made.id,
        key: made.id,
        detail: "unpaid",
      },
      {
        kind: "dead_letters_growing",
        tenantId: "globex",
        endpointId: "",
        key: "globex",
        detail: expect.stringMatching(
          /^2 dead letters in the hour .*, told from 2 on; exhausted 1, expired 1$/,
        ),
      },
    ]);
    expect(await signalled("calm")).toEqual([]);
    const events = topicName(stack.prefix, "events");
    expect(await readTopics(kafka, [events])).toEqual([]);
    // As the recorder does: the next owner then leaves out the tenant and hour, as the next test shows.
    await execute(
      stack.clickhouseUrl,
      `INSERT INTO ${stack.database}.signals (tenant_id, at, kind)
       SELECT 'globex', fromUnixTimestamp64Milli(${byKind[1]!.at}), 'dead_letters_growing'`,
    );
  },
  LONG,
);

test(
  "what happens to endpoints and dead letters is told, but not what happens to the operator's own, nor what was told before",
  async () => {
    await dead("acme", "['exhausted', 'expired', 'paused']");
    await dead("ops", "['exhausted', 'expired']");
    await dead("quiet", "['exhausted', 'paused']");
    const { ask } = await control.start(TOLD);
    const create = async (more: object) =>
      await waitFor(async () => {
        const answer = await ask("POST /v1/endpoints", {
          ...aCreation,
          ...more,
        });
        return answer.status === 201 && answer.body;
      });
    const byHand = await create({});
    const by410 = await create({ externalId: null });
    const own = await create({ tenantId: "ops" });

    await ask(`POST /v1/endpoints/${byHand.id}/disable`, { reason: "unpaid" });
    await ask(`POST /v1/endpoints/${own.id}/disable`);
    await seen({ kind: "breaker_opened", endpointId: own.id, tenantId: "ops" });
    await seen({ kind: "breaker_opened", endpointId: by410.id });
    await seen({ kind: "breaker_closed", endpointId: by410.id });
    await seen({ endpointId: by410.id, endpointVersion: by410.version });

    for (const [tenant, endpoint] of [
      ["acme", byHand],
      // Signals feed nothing, so those of the operator's own are written, too.
      ["ops", own],
    ] as const)
      await waitFor(
        async () =>
          (await signalled(tenant)).some(
            ({ kind, key }) => kind === "disabled" && key === endpoint.id,
          ),
        { what: `the signal of ${tenant}` },
      );

    const events = await waitFor(async () => {
      // A signal of the test before may not have been read then: that is told now, and is no matter of this test.
      const all = (await told()).filter(
        ({ type, data }) =>
          data["tenantId"] !== "globex" ||
          type === "postrider.dead_letters.growing",
      );
      return all.length >= 5 && all;
    });
    const byType = Object.groupBy(events, ({ type }) => type);
    expect(events).toHaveLength(5);
    for (const { tenantId, key, id } of events)
      expect([tenantId, key]).toEqual(["ops", `ops:${id}`]);
    expect(
      new Set(byType["postrider.endpoint.disabled"]?.map(({ data }) => data)),
    ).toEqual(
      new Set([
        {
          tenantId: "acme",
          endpointId: byHand.id,
          externalId: "billing",
          endpointVersion: 2,
          detail: "unpaid",
        },
        {
          tenantId: "acme",
          endpointId: by410.id,
          externalId: null,
          endpointVersion: 2,
          detail: "gone: the endpoint answered 410",
        },
      ]),
    );
    expect(byType["postrider.breaker.opened"]).toMatchObject([
      { data: { endpointId: by410.id } },
    ]);
    expect(byType["postrider.breaker.closed"]).toHaveLength(1);
    expect(byType["postrider.dead_letters.growing"]).toMatchObject([
      {
        data: {
          tenantId: "acme",
          count: 2,
          threshold: 2,
          reasons: { exhausted: 1, expired: 1 },
        },
      },
    ]);
  },
  LONG,
);
