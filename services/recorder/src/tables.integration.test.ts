/** The tables and their views on a real ClickHouse; rows are written by the writer alone. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import type { Attempt, DeadLetter, Intake } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import {
  aDeadLetter,
  aDelivery,
  anAttempt,
  anAuditEntry,
  anIntake,
  aRawRecord,
  aSignal,
  useStack,
} from "@postrider/testkit";
import { ATTEMPTS, AUDIT, DEAD_LETTERS, EVENTS, SIGNALS } from "./columns.ts";
import type { Table } from "./columns.ts";
import { migrate } from "./migrate/migrate.ts";
import { readMigrations } from "./migrate/migration-files.ts";
import { createWriter } from "./clickhouse/writer.ts";
import type { Writer } from "./clickhouse/writer.ts";

const stack = useStack();
/** Must be recent; otherwise the tables' TTL would remove the rows. */
const NOW = Date.now();
let writer: Writer;
let tokens = 0;

beforeAll(async () => {
  writer = createWriter({ url: stack.clickhouseUrl, database: stack.database });
  await migrate({
    sql: writer,
    database: stack.database,
    migrations: readMigrations(),
  });
});
afterAll(() => writer.close());

const raw: RawRecord = aRawRecord({ partition: 1, offset: 7, timestamp: NOW });

async function insert<T>(
  table: Table<T>,
  values: readonly T[],
  token = `token-${tokens++}`,
): Promise<void> {
  const rows = values.map((value) => ({ value, raw }));
  const signal = AbortSignal.timeout(30_000);
  expect(await writer.tableOf(table).insert(rows, token, signal)).toEqual({
    kind: "inserted",
  });
}

const events = (values: Partial<Intake>[], token?: string) =>
  insert(
    EVENTS,
    values.map((fields) =>
      anIntake({ receivedAt: NOW, decidedAt: NOW, ...fields }),
    ),
    token,
  );
const attempts = (values: Partial<Attempt>[], token?: string) =>
  insert(
    ATTEMPTS,
    values.map((fields) =>
      anAttempt({ receivedAt: NOW, startedAt: NOW, ...fields }),
    ),
    token,
  );
const deadLetters = (values: Partial<DeadLetter>[], token?: string) =>
  insert(
    DEAD_LETTERS,
    values.map((fields) =>
      aDeadLetter({ receivedAt: NOW, deadAt: NOW, ...fields }),
    ),
    token,
  );

test("the writer has every column of a table that is stored, in the table's order and with its type", async () => {
  for (const { name, columns } of [
    EVENTS,
    ATTEMPTS,
    DEAD_LETTERS,
    SIGNALS,
    AUDIT,
  ]) {
    const found = await writer.query<{ name: string; type: string }>(
      "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {name: String} AND default_kind != 'EPHEMERAL' ORDER BY position",
      { name },
    );

    expect(columns.map(({ name, type }) => ({ name, type }))).toEqual(
      found.map((column) => ({
        ...column,
        // Plain text is written, and ClickHouse converts it.
        type: column.type.replaceAll("LowCardinality(String)", "String"),
      })),
    );
  }
});

test("the largest insert is one block: it makes one part, so the table takes it whole or not at all", async () => {
  const payload = randomBytes(800);
  const blocks = async () => {
    const [row] = await writer.query<{ blocks: number }>(
      "SELECT toUInt32(max(max_block_number)) AS blocks FROM system.parts WHERE database = currentDatabase() AND table = 'events'",
    );
    return row!.blocks;
  };
  await events([{ tenantId: "large" }]);
  const before = await blocks();

  await events(
    Array.from({ length: 20_000 }, (_, n) => ({
      tenantId: "large",
      eventId: `large-${n}`,
      payload,
    })),
  );

  expect((await blocks()) - before).toBe(1);
});

test("arbitrary bytes are kept exactly, and a repeated token adds nothing", async () => {
  const bodies = Array.from({ length: 50 }, (_, n) => randomBytes(n * 37));
  bodies.push(
    Buffer.from([0, 10, 13, 34, 92, 0xff, 0xfe, 0xc3, 0x28]),
    Buffer.from('{"a":"\\u0000"}'),
  );
  const values = bodies.map((payload, n) => ({
    tenantId: "bytes",
    eventId: `b${n}`,
    payload,
    deliveries: [],
  }));

  await events(values, "same");
  await events(values, "same");
  await attempts(
    bodies.map((responseBody, n) => ({
      tenantId: "bytes",
      deliveryId: `b${n}`,
      responseBody,
    })),
  );

  const stored = await writer.query<{ hex: string }>(
    "SELECT hex(payload) AS hex FROM events WHERE tenant_id = 'bytes' ORDER BY toUInt32(substring(event_id, 2))",
  );
  expect(stored.map(({ hex }) => hex.toLowerCase())).toEqual(
    bodies.map((body) => body.toString("hex")),
  );
  const bodyHex = await writer.query<{ hex: string }>(
    "SELECT hex(response_body) AS hex FROM attempts WHERE tenant_id = 'bytes' ORDER BY toUInt32(substring(delivery_id, 2))",
  );
  expect(bodyHex.map(({ hex }) => hex.toLowerCase())).toEqual(
    bodies.map((body) => body.toString("hex")),
  );
});

test("the address to which a request went is text, empty where none was sent", async () => {
  await attempts([
    { tenantId: "addresses", deliveryId: "v4", remoteAddress: "192.0.2.7" },
    { tenantId: "addresses", deliveryId: "v6", remoteAddress: "2001:db8::7" },
    { tenantId: "addresses", deliveryId: "z", remoteAddress: null },
  ]);

  const found = await writer.query<{ remote_address: string }>(
    "SELECT remote_address FROM attempts WHERE tenant_id = 'addresses' ORDER BY delivery_id",
  );
  expect(found.map((row) => row.remote_address)).toEqual([
    "192.0.2.7",
    "2001:db8::7",
    "",
  ]);
});

test("a time that only garbage has does not stop the row, nor wrap into another", async () => {
  await attempts([
    { tenantId: "times", nextAttemptAt: -62e12, deliveryId: "early" },
    { tenantId: "times", nextAttemptAt: 9e15, deliveryId: "late" },
  ]);

  const found = await writer.query(
    "SELECT toYear(next_attempt_at) AS year FROM attempts WHERE tenant_id = 'times' ORDER BY year",
  );
  expect(found).toEqual([{ year: 1970 }, { year: 2100 }]);
});

test("an event older than the day before its decision is raised to that day's start", async () => {
  const decidedAt = NOW;
  await events([
    {
      tenantId: "old",
      receivedAt: NOW - 90 * 86_400_000,
      decidedAt,
      deliveries: [],
    },
  ]);

  const rows = await writer.query(
    "SELECT toUnixTimestamp64Milli(received_at) = toUnixTimestamp64Milli(toDateTime64(toStartOfDay(decided_at) - INTERVAL 1 DAY, 3, 'UTC')) AS isRaised FROM events WHERE tenant_id = 'old'",
  );
  expect(rows).toEqual([{ isRaised: 1 }]);
});

test("a duplicate and a further part do not replace the original", async () => {
  await events([
    { tenantId: "dup", eventId: "e", sourceOffset: 1 },
    {
      tenantId: "dup",
      eventId: "e",
      sourceOffset: 1,
      part: 1,
      parts: 2,
      payload: Buffer.alloc(0),
      deliveries: [],
    },
    {
      tenantId: "dup",
      eventId: "e",
      sourceOffset: 2,
      decision: "duplicate",
      deliveries: [],
    },
  ]);

  const rows = await writer.query(
    "SELECT decision, part FROM events FINAL WHERE tenant_id = 'dup' ORDER BY source_offset, part",
  );
  expect(rows).toEqual([
    { decision: "routed", part: 0 },
    { decision: "routed", part: 1 },
    { decision: "duplicate", part: 0 },
  ]);
});

const failed = {
  status: "failed",
  outcome: "http_error",
  statusCode: 500,
  disposition: "retry",
  nextAttemptAt: NOW + 2_000,
} as const;
const delivered = {
  status: "delivered",
  outcome: "delivered",
  statusCode: 200,
  disposition: "done",
} as const;

const deferredAfterOne = {
  status: "failed",
  attemptNumber: 0,
  outcome: null,
  statusCode: null,
  durationMs: 0,
  disposition: "defer",
  deferralReason: "breaker_open",
  nextAttemptAt: NOW + 60_000,
  lastAttempt: {
    attemptNumber: 1,
    outcome: "http_error",
    statusCode: 500,
    errorCode: "E_ONE",
    durationMs: 25,
  },
} as const;
const waitingAfterOne = {
  status: "failed",
  attempts: 1,
  outcome: "http_error",
  status_code: 500,
  error_code: "E_ONE",
  duration_ms: 25,
  next_in_ms: 60_000,
};
const parkedAfterOne = {
  reason: "paused",
  attempts: 1,
  lastOutcome: "http_error",
  lastStatusCode: 500,
} as const;

interface Story {
  readonly name: string;
  readonly tell: (ids: {
    deliveryId: string;
    endpointId: string;
  }) => (() => Promise<void>)[];
  readonly ends: Record<string, unknown>;
}

const stories: Story[] = [
  {
    name: "routed only: pending",
    tell: (ids) => [() => events([{ deliveries: [ids] }])],
    ends: { status: "pending", attempts: 0, outcome: "", status_code: null },
  },
  {
    name: "failed, then delivered",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...delivered, attemptNumber: 2, step: 1 }]),
    ],
    ends: {
      status: "delivered",
      attempts: 2,
      outcome: "delivered",
      status_code: 200,
    },
  },
  {
    name: "failed twice, waiting for the third",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () =>
        attempts([
          { ...ids, ...failed, attemptNumber: 2, step: 1, statusCode: 503 },
        ]),
    ],
    ends: {
      status: "failed",
      attempts: 2,
      outcome: "http_error",
      status_code: 503,
    },
  },
  {
    name: "dead-lettered without an attempt",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () =>
        deadLetters([
          {
            ...ids,
            reason: "endpoint_deleted",
            attempts: 0,
            step: 0,
            lastOutcome: null,
            lastStatusCode: null,
          },
        ]),
    ],
    ends: {
      status: "expired",
      attempts: 0,
      dead_letter_reason: "endpoint_deleted",
    },
  },
  {
    name: "exhausted",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () =>
        attempts([
          {
            ...ids,
            ...failed,
            attemptNumber: 2,
            step: 1,
            status: "expired",
            disposition: "dead_letter",
            deadLetterReason: "exhausted",
            nextAttemptAt: null,
          },
        ]),
      () =>
        deadLetters([{ ...ids, reason: "exhausted", attempts: 2, step: 1 }]),
    ],
    ends: {
      status: "expired",
      attempts: 2,
      outcome: "http_error",
      dead_letter_reason: "exhausted",
    },
  },
  {
    name: "paused before any attempt: still pending",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () =>
        deadLetters([
          {
            ...ids,
            reason: "paused",
            attempts: 0,
            step: 0,
            lastOutcome: null,
            lastStatusCode: null,
          },
        ]),
    ],
    ends: { status: "pending", attempts: 0, dead_letter_reason: "paused" },
  },
  {
    name: "paused after a failure: still failed",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () =>
        deadLetters([
          {
            ...ids,
            reason: "paused",
            attempts: 1,
            step: 2,
            lastOutcome: "http_error",
            lastStatusCode: 500,
          },
        ]),
    ],
    ends: {
      status: "failed",
      attempts: 1,
      outcome: "http_error",
      dead_letter_reason: "paused",
    },
  },
  {
    name: "paused, resumed, delivered",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => deadLetters([{ ...ids, reason: "paused", attempts: 0, step: 0 }]),
      () => attempts([{ ...ids, ...delivered, attemptNumber: 1, step: 1 }]),
    ],
    ends: { status: "delivered", attempts: 1, dead_letter_reason: "" },
  },
  {
    name: "deferred before any attempt: pending, and why",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () =>
        attempts([
          {
            ...ids,
            status: "pending",
            attemptNumber: 0,
            step: 0,
            outcome: null,
            statusCode: null,
            disposition: "defer",
            deferralReason: "breaker_open",
            nextAttemptAt: NOW + 1_000,
          },
        ]),
    ],
    ends: { status: "pending", attempts: 0, deferral_reason: "breaker_open" },
  },
  {
    name: "deferred after a failure: why and until when, and the failure stays to be seen",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 1 }]),
    ],
    ends: { ...waitingAfterOne, deferral_reason: "breaker_open" },
  },
  {
    name: "deferred after a failure for one reason, then for another",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 1 }]),
      () =>
        attempts([
          {
            ...ids,
            ...deferredAfterOne,
            step: 4,
            deferralReason: "rate_limited",
          },
        ]),
    ],
    ends: { ...waitingAfterOne, deferral_reason: "rate_limited" },
  },
  {
    name: "deferred after a failure, and attempted since",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 1 }]),
      () =>
        attempts([
          { ...ids, ...failed, attemptNumber: 2, step: 2, statusCode: 503 },
        ]),
    ],
    ends: {
      status: "failed",
      attempts: 2,
      status_code: 503,
      next_in_ms: 2_000,
      deferral_reason: "",
    },
  },
  {
    name: "deferred after a failure by one process, attempted at the same step by another",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 1 }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 2, step: 1 }]),
    ],
    ends: { status: "failed", attempts: 2, deferral_reason: "" },
  },
  {
    name: "deferred after a failure, then parked",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 1 }]),
      () => deadLetters([{ ...ids, ...parkedAfterOne, step: 2 }]),
    ],
    ends: {
      status: "failed",
      attempts: 1,
      outcome: "http_error",
      status_code: 500,
      next_in_ms: null,
      deferral_reason: "",
      dead_letter_reason: "paused",
    },
  },
  {
    name: "deferred after a failure, since it was resumed",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => deadLetters([{ ...ids, ...parkedAfterOne, step: 1 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 2 }]),
    ],
    ends: { ...waitingAfterOne, dead_letter_reason: "" },
  },
  {
    name: "deferred after a failure, then delivered",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () => attempts([{ ...ids, ...deferredAfterOne, step: 1 }]),
      () => attempts([{ ...ids, ...delivered, attemptNumber: 2, step: 2 }]),
    ],
    ends: { status: "delivered", attempts: 2, deferral_reason: "" },
  },
  {
    name: "deferred after a failure by an older dispatcher, which did not say what failed",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...failed, attemptNumber: 1, step: 0 }]),
      () =>
        attempts([{ ...ids, ...deferredAfterOne, step: 1, lastAttempt: null }]),
    ],
    ends: {
      status: "failed",
      attempts: 1,
      outcome: "http_error",
      status_code: 500,
      next_in_ms: 2_000,
      deferral_reason: "",
    },
  },
  {
    name: "a repeat after it was delivered",
    tell: (ids) => [
      () => events([{ deliveries: [ids] }]),
      () => attempts([{ ...ids, ...delivered, attemptNumber: 1, step: 0 }]),
      () =>
        attempts([
          { ...ids, ...failed, attemptNumber: 1, step: 0, startedAt: NOW + 50 },
        ]),
      () =>
        deadLetters([{ ...ids, reason: "exhausted", attempts: 5, step: 6 }]),
    ],
    ends: { status: "delivered", attempts: 1, status_code: 200 },
  },
];

async function statusOf(deliveryId: string): Promise<unknown[]> {
  return await writer.query(
    `SELECT status, attempts, outcome, status_code, error_code, duration_ms, deferral_reason, dead_letter_reason, endpoint_id,
       toInt32(toUnixTimestamp64Milli(next_attempt_at) - {now: Int64}) AS next_in_ms
     FROM deliveries FINAL WHERE delivery_id = {deliveryId: String}`,
    { deliveryId, now: NOW },
  );
}

test.each(stories)(
  "status, whatever the order of arrival: $name",
  async ({ name, tell, ends }) => {
    for (const order of ["in order", "reversed", "merged"]) {
      const ids = { deliveryId: `${name} ${order}`, endpointId: "ep_1" };
      const steps = tell(ids);

      for (const step of order === "reversed" ? steps.reverse() : steps)
        await step();
      if (order === "merged")
        await writer.command("OPTIMIZE TABLE deliveries FINAL");

      const rows = await statusOf(ids.deliveryId);
      expect(rows).toEqual([
        expect.objectContaining({ ...ends, endpoint_id: "ep_1" }),
      ]);
    }
  },
);

test("a delivery that route made twice stays one row, and the view shows what FINAL shows", async () => {
  const ids = { deliveryId: "twice", endpointId: "ep_1" };
  await events([{ tenantId: "view", eventId: "a", deliveries: [ids] }]);
  await events([
    { tenantId: "view", eventId: "a", deliveries: [ids], decidedAt: NOW + 9 },
  ]);
  await attempts([{ tenantId: "view", ...ids, ...delivered }]);

  const rows = await writer.query(
    "SELECT delivery_id, status FROM delivery_status WHERE tenant_id = 'view'",
  );

  expect(rows).toEqual([{ delivery_id: "twice", status: "delivered" }]);
});

test.each(["expired", "paused"])(
  "a delivery of a replay that ends as %s before any attempt is its replay's, and one of no replay is not",
  async (reason) => {
    const of = (eventId: string, replayId: string | null) => ({
      eventId,
      deliveryId: `dlv_${reason}_${eventId}`,
      reason,
      attempts: 0,
      lastOutcome: null,
      lastStatusCode: null,
      delivery: aDelivery({ replayId }),
    });
    await deadLetters([of("replayed", "rpl_1"), of("first", null)]);

    const found = await writer.query(
      `SELECT event_id, d.replay_id AS replay_id, l.replay_id AS of_letter FROM {db}.deliveries AS d FINAL
       JOIN {db}.dead_letters AS l ON l.delivery_id = d.delivery_id
       WHERE d.delivery_id LIKE 'dlv_${reason}_%' ORDER BY event_id`.replaceAll(
        "{db}",
        stack.database,
      ),
    );

    expect(found).toEqual([
      { event_id: "first", replay_id: "", of_letter: "" },
      { event_id: "replayed", replay_id: "rpl_1", of_letter: "rpl_1" },
    ]);
  },
);

test("a signal is one row, also if its record was produced twice", async () => {
  const signal = aSignal({ tenantId: "signals", at: NOW, detail: "why" });
  const gone = aSignal({ ...signal, kind: "gone", deliveryId: null });

  await insert(SIGNALS, [{ ...signal, kind: "breaker_opened" }, gone]);
  await insert(SIGNALS, [gone]);

  const rows = await writer.query(
    "SELECT kind, delivery_id, detail, toInt32(endpoint_version) AS version, toUnixTimestamp64Milli(at) = toInt64({now: UInt64}) AS isNow FROM signals FINAL WHERE tenant_id = 'signals' ORDER BY kind",
    { now: NOW },
  );
  const shown = { detail: "why", version: 1, isNow: 1 };
  expect(rows).toEqual([
    { kind: "breaker_opened", delivery_id: signal.deliveryId, ...shown },
    { kind: "gone", delivery_id: "", ...shown },
  ]);
});

test("an audit record is one row; two changes of one subject in a millisecond are two", async () => {
  const entry = anAuditEntry({ tenantId: null, at: NOW, subjectId: "key_1" });
  const rows = [entry, { ...entry, action: "revoked" }].map(
    (value, offset) => ({ value, raw: { ...raw, offset } }),
  );
  const target = writer.tableOf(AUDIT);
  const signal = AbortSignal.timeout(30_000);

  // Recorded twice, as after a crash whose token was forgotten.
  for (const token of ["audit-1", "audit-2"])
    await target.insert(rows, token, signal);

  const found = await writer.query(
    "SELECT tenant_id, subject_id, action, JSONExtractString(detail, 'state', 'to') AS state, toUnixTimestamp64Milli(at) = toInt64({now: UInt64}) AS isNow FROM audit FINAL WHERE subject_id = 'key_1' ORDER BY log_offset",
    { now: NOW },
  );
  const shown = {
    tenant_id: "",
    subject_id: "key_1",
    state: "paused",
    isNow: 1,
  };
  expect(found).toEqual([
    { ...shown, action: "paused" },
    { ...shown, action: "revoked" },
  ]);
});

test("roll-ups count attempts, not deferrals, and equal the raw rows", async () => {
  const ids = { tenantId: "roll", endpointId: "ep_r" };
  const batch = [
    { ...ids, ...failed, attemptNumber: 1, deliveryId: "r1", durationMs: 10 },
    {
      ...ids,
      ...delivered,
      attemptNumber: 2,
      deliveryId: "r1",
      step: 1,
      durationMs: 30,
    },
    {
      ...ids,
      ...delivered,
      attemptNumber: 1,
      deliveryId: "r2",
      durationMs: 20,
    },
    {
      ...ids,
      status: "pending",
      attemptNumber: 0,
      deliveryId: "r3",
      outcome: null,
      deferralReason: "breaker_open",
    },
  ];

  await attempts(batch, "roll");
  await attempts(batch, "roll");

  expect(
    await writer.query(
      "SELECT toUInt32(attempts) AS attempts, toUInt32(delivered) AS delivered, toUInt32(delivered_first) AS first, max_duration_ms, p50_ms FROM endpoint_hours WHERE tenant_id = 'roll'",
    ),
  ).toEqual([
    { attempts: 3, delivered: 2, first: 1, max_duration_ms: 30, p50_ms: 20 },
  ]);
  expect(
    await writer.query(
      "SELECT toUInt32(attempts) AS attempts, toUInt32(expired) AS expired FROM tenant_minutes WHERE tenant_id = 'roll'",
    ),
  ).toEqual([{ attempts: 3, expired: 0 }]);
});
