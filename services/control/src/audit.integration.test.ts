/** The audit trail on a real Kafka: what control writes with each change, and that neither can be without the other. */
import { beforeAll, expect, test } from "@jest/globals";
import type { AuditEntry } from "@postrider/core";
import { topicName, type Admin } from "@postrider/messaging";
import { composeLifecycle } from "@postrider/runtime";
import {
  createTopics,
  readTopics,
  useStack,
  waitFor,
} from "@postrider/testkit";
import {
  accessTo,
  untilOwner,
  useControl,
} from "../fixtures/running-control.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;
const TOPICS = ["endpoints", "control", "schemas", "signals", "dead-letters"];
const AUDIT = topicName(stack.prefix, "audit");
const REASON = { "x-audit-reason": "ticket 7" };

beforeAll(async () => {
  await stack.createTopics(...TOPICS, "audit");
});

const aCreation = {
  tenantId: "acme",
  url: "https://example.com/hook?token=hush-url",
  eventTypes: ["order.*"],
  headers: { authorization: "Bearer hush-header" },
  secret: "hush-secret",
};

/** Everything that the topic has of the endpoint, in order, and its bytes. */
async function trailOf(id: string) {
  const { parts, effects, schemas, kafka } = accessTo(stack);
  const whole = composeLifecycle(parts, effects);
  await whole.start();
  try {
    const raws = (await readTopics(kafka, [AUDIT])).filter(
      ({ key }) => String(key) === id,
    );
    const entries = raws.map((raw): AuditEntry => {
      const decoded = schemas.decoderOf("audit")(raw);
      if (decoded.kind !== "decoded") throw new Error(decoded.kind);
      return decoded.value;
    });
    const bytes = Buffer.concat(raws.map(({ value }) => value!));
    return { entries, bytes };
  } finally {
    await whole.stop(Date.now() + 5_000);
  }
}

async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

test(
  "every change of an endpoint is in the topic: who, what, why, and nothing secret",
  async () => {
    const { ask } = await control.startOwner();
    const made = await ask("POST /v1/endpoints", aCreation, REASON);
    const { id } = made.body;
    const path = `/v1/endpoints/${id}`;
    const any = { "if-match": "*" };

    const answers = [
      await ask(`PATCH ${path}`, { timeoutMs: 5_000 }, { ...REASON, ...any }),
      await ask(`POST ${path}/rotate-secret`, { secret: "hush-too" }, any),
      await ask(`POST ${path}/pause`, { reason: "moving" }),
      await ask(`POST ${path}/pause`),
      await ask(`POST ${path}/resume`),
      await ask(`POST ${path}/disable`, undefined, REASON),
      await ask(`POST ${path}/enable`),
      await ask(`DELETE ${path}`, undefined, any),
    ];

    expect(answers.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 7 }, () => 200),
      204,
    ]);
    const { entries, bytes } = await trailOf(id);
    // The second pause changed nothing.
    expect(entries.map(({ action, why }) => [action, why])).toEqual([
      ["created", "ticket 7"],
      ["changed", "ticket 7"],
      ["secret_rotated", ""],
      ["paused", "moving"],
      ["resumed", ""],
      ["disabled", "ticket 7"],
      ["enabled", ""],
      ["deleted", ""],
    ]);
    for (const entry of entries)
      expect(entry).toMatchObject({
        actor: "admin",
        tenantId: "acme",
        subject: "endpoint",
        subjectId: id,
      });
    expect(entries[1]?.requestId).toBe(answers[0]?.headers.get("x-request-id"));
    expect(JSON.parse(entries[1]!.detail)).toEqual({
      timeoutMs: { from: 15_000, to: 5_000 },
      version: { from: 1, to: 2 },
    });
    expect(bytes.includes("authorization")).toBe(true);
    expect(bytes.includes("hush")).toBe(false);
  },
  LONG,
);

test(
  "a reason that breaks a rule is refused by its header, and nothing is changed",
  async () => {
    const { ask } = await control.startOwner();
    const { body } = await ask("POST /v1/endpoints", aCreation);

    const refused = await ask(
      `POST /v1/endpoints/${body.id}/pause`,
      undefined,
      {
        "x-audit-reason": "x".repeat(501),
      },
    );

    expect(refused.status).toBe(400);
    expect(refused.body.errors).toMatchObject([
      { field: "x-audit-reason", rule: "max" },
    ]);
    expect((await ask(`GET /v1/endpoints/${body.id}`)).body).toMatchObject({
      version: 1,
      state: "enabled",
    });
  },
  LONG,
);

test(
  "a change whose audit record the broker refuses is not made",
  async () => {
    const { ask } = await control.startOwner();
    const { body } = await ask("POST /v1/endpoints", aCreation);
    const path = `/v1/endpoints/${body.id}`;
    const limit = (bytes: string) =>
      withAdmin((admin) =>
        admin.alterTopicConfig(AUDIT, { "max.message.bytes": bytes }),
      );
    // Too small for a record, and large enough for the marker that ends the transaction.
    await limit("200");

    const refused = await waitFor(
      async () => {
        const answer = await ask(
          `PATCH ${path}`,
          { description: "without a trace" },
          { "if-match": "*" },
        );
        // The broker may not have taken the limit yet.
        return answer.status === 200 ? null : answer;
      },
      { timeoutMs: 30_000 },
    );

    expect(refused.status).toBe(503);
    const before = (await ask(`GET ${path}`)).body;
    await limit("1048588");
    await untilOwner(ask);
    const changed = await waitFor(
      async () => {
        const answer = await ask(
          `PATCH ${path}`,
          { timeoutMs: 6_000 },
          { "if-match": `"${before.version}"` },
        );
        return answer.status === 200 ? answer : null;
      },
      { timeoutMs: 30_000 },
    );

    // Had the refused change been stored, the version would have been another.
    expect(changed.body.version).toBe(before.version + 1);
    const { entries } = await trailOf(body.id);
    expect(
      entries.map(
        ({ detail }) => (JSON.parse(detail) as { version: unknown }).version,
      ),
    ).toEqual([
      { to: 1 },
      ...Array.from({ length: before.version }, (_, n) => ({
        from: n + 1,
        to: n + 2,
      })),
    ]);
  },
  LONG,
);

test(
  "without the topic, as before an upgrade's `topics apply`, a replica reads, is not ready and says why; it goes on by itself",
  async () => {
    const prefix = `${stack.prefix}old.`;
    await createTopics(stack.kafka(), prefix, TOPICS);
    const { ask, ready } = await control.start({
      POSTRIDER_TOPIC_PREFIX: prefix,
    });
    const topics = () => ready().find(({ name }) => name === "topics");
    await waitFor(() => topics()?.detail.includes("does not exist"));

    const read = await ask("GET /v1/endpoints");
    const refused = await ask("POST /v1/endpoints", aCreation);

    expect(topics()).toMatchObject({
      isOk: false,
      detail: expect.stringMatching(
        /^topic \S+old\.audit does not exist, .* Run `postrider topics apply`; no restart is needed\.$/,
      ),
    });
    expect(read.status).toBe(200);
    expect(refused.status).toBe(503);
    expect(refused.body.type).toBe("urn:postrider:problem:not-owner");
    await createTopics(stack.kafka(), prefix, ["audit"]);
    await untilOwner(ask);
    expect((await ask("POST /v1/endpoints", aCreation)).status).toBe(201);
    expect(topics()?.isOk).toBe(true);
  },
  LONG,
);

test(
  "a topic that is deleted under the writer costs one change its answer; then the replica is not ready, until the topic is there again",
  async () => {
    const prefix = `${stack.prefix}lost.`;
    await createTopics(stack.kafka(), prefix, [...TOPICS, "audit"]);
    const { ask, ready } = await control.start({
      POSTRIDER_TOPIC_PREFIX: prefix,
    });
    await untilOwner(ask);
    const { body } = await ask("POST /v1/endpoints", aCreation);
    const path = `/v1/endpoints/${body.id}`;
    const change = { description: "without a trace" };
    const topics = () => ready().find(({ name }) => name === "topics");

    await withAdmin((admin) => admin.deleteTopics([`${prefix}audit`]));
    const refused = await ask(`PATCH ${path}`, change, { "if-match": "1" });

    expect(refused.status).toBe(503);
    await waitFor(() => topics()?.isOk === false, { timeoutMs: 60_000 });
    expect((await ask(`GET ${path}`)).body).toMatchObject({
      version: 1,
      description: "",
    });
    await createTopics(stack.kafka(), prefix, ["audit"]);
    await untilOwner(ask);
    const made = await ask(`PATCH ${path}`, change, { "if-match": "1" });
    expect([made.status, topics()?.isOk]).toEqual([200, true]);
  },
  LONG,
);

test(
  "a replica that joins without the topic takes nothing from the writer; if the writer leaves, the other one writes once the topic is there",
  async () => {
    const prefix = `${stack.prefix}roll.`;
    const env = { POSTRIDER_TOPIC_PREFIX: prefix };
    await createTopics(stack.kafka(), prefix, [...TOPICS, "audit"]);
    const older = await control.start(env);
    await untilOwner(older.ask);
    await withAdmin((admin) => admin.deleteTopics([`${prefix}audit`]));
    const stateOf = ({ ready }: typeof older) =>
      ready().find(({ name }) => name === "ownership")?.detail;

    const joined = await control.start(env);

    await waitFor(() => stateOf(joined)?.startsWith("follower"));
    // Each assignment is acquired anew, so the writer has seen by now that the topic is gone.
    await waitFor(() => stateOf(older)?.startsWith("acquiring"));
    for (const { ask } of [older, joined])
      expect((await ask("GET /v1/endpoints")).status).toBe(200);
    await older.stop();
    await waitFor(() => stateOf(joined)?.includes("audit does not exist"), {
      timeoutMs: 30_000,
    });
    await createTopics(stack.kafka(), prefix, ["audit"]);
    await untilOwner(joined.ask);
    expect((await joined.ask("POST /v1/endpoints", aCreation)).status).toBe(
      201,
    );
  },
  LONG,
);
