/** A database as earlier versions left it, migrated by this one: its rows stay, and the recorder writes. On a real ClickHouse. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  aDeadLetter,
  anAttempt,
  anAuditEntry,
  anIntake,
  aRawRecord,
  aSignal,
  execute,
  rowsOf,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { ATTEMPTS, AUDIT, DEAD_LETTERS, EVENTS, SIGNALS } from "../columns.ts";
import type { Table } from "../columns.ts";
import { createWriter } from "../clickhouse/writer.ts";
import type { Writer } from "../clickhouse/writer.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

const stack = useStack();
const OURS = readMigrations();
/** The migrations of the first version that had tables, before 0004. */
const FIRST = 3;
const NOW = Date.now();
let admin: Writer;
beforeAll(() => {
  admin = createWriter({ url: stack.clickhouseUrl, database: "default" });
});
afterAll(() => admin.close());

/** Rows as the first version wrote them: JSON, bytes as base64 in the columns made for that. */
const OLD_ROWS = {
  events: {
    tenant_id: "old",
    event_id: "evt_1",
    event_type: "order.paid",
    occurred_at: null,
    received_at: NOW,
    decided_at: NOW,
    decision: "routed",
    reason: "",
    field: "",
    rule: "",
    content_type: "application/json",
    headers: { "x-shop": "7" },
    payload_base64: Buffer.from('{"total":12.5}').toString("base64"),
    payload_bytes: 14,
    delivery_ids: ["dlv_1", "dlv_2"],
    endpoint_ids: ["ep_1", "ep_2"],
    filtered_endpoint_ids: [],
    disabled_endpoint_ids: [],
    paused_endpoint_ids: [],
    no_match_count: 0,
    part: 0,
    parts: 1,
    source_topic: "postrider.events",
    source_partition: 0,
    source_offset: 5,
    log_partition: 0,
    log_offset: 5,
  },
  attempts: {
    tenant_id: "old",
    endpoint_id: "ep_1",
    delivery_id: "dlv_1",
    webhook_id: "msg_1",
    event_id: "evt_1",
    event_type: "order.paid",
    attempt_number: 1,
    step: 0,
    trigger: "first",
    replay_id: "",
    received_at: NOW,
    started_at: NOW,
    queue_ms: 1,
    duration_ms: 20,
    dns_ms: 1,
    connect_ms: 2,
    tls_ms: 3,
    ttfb_ms: 4,
    is_reused: false,
    outcome: "delivered",
    status_code: 200,
    error_code: "",
    error: "",
    status: "delivered",
    disposition: "done",
    next_attempt_at: null,
    tier: "",
    deferral_reason: "",
    dead_letter_reason: "",
    request_bytes: 14,
    response_bytes: 2,
    response_body_base64: Buffer.from("ok").toString("base64"),
    response_headers: {},
    worker: "w",
    source_topic: "postrider.events",
    source_partition: 0,
    source_offset: 5,
    log_partition: 0,
    log_offset: 7,
  },
  dead_letters: {
    tenant_id: "old",
    endpoint_id: "ep_2",
    dead_at: NOW,
    delivery_id: "dlv_2",
    event_id: "evt_1",
    event_type: "order.paid",
    received_at: NOW,
    reason: "endpoint_deleted",
    detail: "the endpoint is gone",
    field: "",
    rule: "",
    stage: "deliver",
    attempts: 0,
    step: 0,
    last_outcome: "",
    last_status_code: null,
    record_topic: "postrider.deliveries",
    record_partition: 0,
    record_offset: 3,
    raw_bytes: 0,
    source_topic: "postrider.events",
    source_partition: 0,
    source_offset: 5,
    log_topic: "postrider.dead-letters",
    log_partition: 0,
    log_offset: 1,
  },
} as const;

const UPGRADES = OURS.slice(FIRST - 1, -1).map(({ number, name }) => ({
  number,
  name,
}));

test.each(UPGRADES)(
  "a database at $name keeps its rows through every later migration, and takes new ones",
  async ({ number }) => {
    const database = `${stack.database}_from_${number}`;
    const writer = createWriter({ url: stack.clickhouseUrl, database });
    try {
      await migrate({
        sql: admin,
        database,
        migrations: OURS.slice(0, number),
      });
      for (const [table, row] of Object.entries(OLD_ROWS))
        await admin.command(
          `INSERT INTO ${database}.${table} (${Object.keys(row).join(", ")}) SETTINGS async_insert = 0 FORMAT JSONEachRow ${JSON.stringify(row)}`,
        );
      const before = await wholeOf(writer);

      expect(await migrate({ sql: admin, database, migrations: OURS })).toEqual(
        OURS.slice(number).map(({ name }) => name),
      );

      expect(await wholeOf(writer)).toEqual(before);
      expect(before).toMatchObject({
        payload: '{"total":12.5}',
        response: "ok",
        letters: [["dlv_2", "endpoint_deleted"]],
        deliveries: [
          ["dlv_1", "delivered"],
          ["dlv_2", "expired"],
        ],
        hours: 1,
        minutes: 1,
      });
      await writeOfEach(writer);
    } finally {
      await writer.close();
      await execute(stack.clickhouseUrl, `DROP DATABASE ${database} SYNC`);
    }
  },
);

test("no migration waits until what is stored has its index, also where ClickHouse waits for mutations by itself", async () => {
  const database = `${stack.database}_waits`;
  const { clickhouseUrl: url } = stack;
  const waiting = createWriter({
    url: `${url}?ch_mutations_sync=1`,
    database: "default",
  });
  const before = OURS.filter(({ number }) => number < 10);
  try {
    await migrate({ sql: admin, database, migrations: before });
    await execute(
      url,
      `INSERT INTO ${database}.deliveries (tenant_id, received_at, delivery_id, status) VALUES ('old', now64(3), 'dlv_1', 'failed')`,
    );
    await execute(url, `SYSTEM STOP MERGES ${database}.deliveries`);

    expect(
      await migrate({ sql: waiting, database, migrations: OURS }),
    ).toContain("0010_status_index.sql");

    await execute(url, `SYSTEM START MERGES ${database}.deliveries`);
    await waitFor(async () => {
      const mutations = await rowsOf<{ is_done: number }>(
        url,
        `SELECT is_done FROM system.mutations WHERE database = '${database}'`,
      );
      return mutations.length === 1 && mutations[0]!.is_done === 1;
    });
  } finally {
    await waiting.close();
    await execute(url, `DROP DATABASE ${database} SYNC`);
  }
});

/** Everything that the old rows are, with what the views made of them. */
async function wholeOf(writer: Writer): Promise<unknown> {
  const [row] = await writer.query(
    `SELECT
       (SELECT payload FROM events WHERE tenant_id = 'old') AS payload,
       (SELECT response_body FROM attempts WHERE tenant_id = 'old') AS response,
       (SELECT groupArray([delivery_id, toString(reason)]) FROM dead_letters WHERE tenant_id = 'old') AS letters,
       (SELECT arraySort(groupArray([delivery_id, toString(status)])) FROM delivery_status WHERE tenant_id = 'old') AS deliveries,
       (SELECT toUInt32(sum(attempts)) FROM endpoint_hours WHERE tenant_id = 'old') AS hours,
       (SELECT toUInt32(sum(attempts)) FROM tenant_minutes WHERE tenant_id = 'old') AS minutes`,
  );
  return row;
}

async function writeOfEach(writer: Writer): Promise<void> {
  const times = { receivedAt: NOW, decidedAt: NOW, startedAt: NOW };
  const ids = { tenantId: "new", ...times, deadAt: NOW, at: NOW };
  const written: [Table<never>, object][] = [
    [EVENTS as Table<never>, anIntake()],
    [ATTEMPTS as Table<never>, anAttempt()],
    [DEAD_LETTERS as Table<never>, aDeadLetter()],
    [SIGNALS as Table<never>, aSignal()],
    [AUDIT as Table<never>, anAuditEntry()],
  ];
  for (const [table, value] of written) {
    const rows = [
      { value: { ...value, ...ids } as never, raw: aRawRecord({ offset: 1 }) },
    ];
    const signal = AbortSignal.timeout(30_000);
    const target = writer.tableOf(table);
    expect(await target.insert(rows, "new", signal)).toEqual({
      kind: "inserted",
    });
    expect(
      await writer.query(
        `SELECT toUInt32(count()) AS n FROM ${table.name} WHERE tenant_id = 'new'`,
      ),
    ).toEqual([{ n: 1 }]);
  }
}
