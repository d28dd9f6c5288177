/** What a preview says of a large selection, on a real ClickHouse that gives a query little memory. */
import { beforeAll, expect, test } from "@jest/globals";
import { execute, rowsOf, useStack } from "@postrider/testkit";
import { aSelection } from "../services/control/fixtures/a-selection.ts";
import { lostPayloads } from "../services/control/src/replays/lost-payloads.ts";
import type { Selected } from "../services/control/src/replays/selection-sql.ts";
import { createWriter } from "../services/recorder/src/clickhouse/writer.ts";
import { readMigrations } from "../services/recorder/src/migrate/migration-files.ts";
import { migrate } from "../services/recorder/src/migrate/migrate.ts";

const stack = useStack();
const HOUR_MS = 3_600_000;
const HOURS = 12;
const UNITS = 240_000;
/** Of three events one has its payload, one has it without a secret header's value, one has none. */
const LOST = { payloadGone: UNITS / 3, headersRedacted: UNITS / 3 };
/** What a query may have: less than all units take, and more than those of some hours. */
const MEMORY_BYTES = 100_000_000;
const NOW = Date.now();
const SELECTED: Selected = {
  kind: "redrive",
  tenantId: null,
  selectedAt: NOW,
  selection: aSelection(),
};
/** `dead-letters` holds none of them any more. */
const LOG = [{ topic: "dead-letters", partition: 0, start: UNITS, end: UNITS }];

beforeAll(async () => {
  const { clickhouseUrl: url, database } = stack;
  const writer = createWriter({ url, database: "default" });
  await migrate({ sql: writer, database, migrations: readMigrations() });
  await writer.close();
  const receivedAt = `fromUnixTimestamp64Milli(toInt64(${NOW} - 1 - (number % ${HOURS}) * ${HOUR_MS}))`;
  await execute(
    url,
    `INSERT INTO ${database}.dead_letters (tenant_id, endpoint_id, dead_at, delivery_id, event_id, event_type, received_at, reason, log_partition, log_offset)
     SELECT 'acme', concat('ep_', toString(number % 5)), ${receivedAt}, concat('dlv_', toString(number)), concat('evt_', toString(number)), 'order.paid', ${receivedAt}, 'exhausted', 0, number FROM numbers(${UNITS})`,
  );
  await execute(
    url,
    `INSERT INTO ${database}.events (tenant_id, event_id, event_type, received_at, decided_at, decision, headers, payload, payload_bytes, part, source_topic, source_partition, source_offset)
     SELECT 'acme', concat('evt_', toString(number)), 'order.paid', ${receivedAt}, ${receivedAt}, 'no_match', if(number % 3 = 1, map('authorization', '[redacted]'), map()), if(number % 3 = 2, '', '{}'), 2, 0, 'events', 0, number FROM numbers(${UNITS})`,
  );
}, 120_000);

/** Summed over the endpoints. `mostUnits`: of a stretch. */
async function lost(selected: Selected, mostUnits: number) {
  let questions = 0;
  const found = await lostPayloads(
    async <Row>({ sql, values }: { sql: string; values: object }) => {
      questions += 1;
      // Each thread keeps a table of its own, so a machine with more cores would need more.
      const settings = `ch_max_threads=2&ch_max_memory_usage=${MEMORY_BYTES}&ch_output_format_json_quote_64bit_integers=0`;
      const url = `${stack.clickhouseUrl}/${stack.database}?${settings}`;
      return await rowsOf<Row>(url, sql, { ...values, wholeDays: 29 });
    },
    { selected, log: LOG, total: UNITS },
    mostUnits,
  );
  const sum = (of: (each: typeof LOST) => number): number =>
    [...found.values()].reduce((total, each) => total + of(each), 0);
  return {
    questions,
    endpoints: found.size,
    payloadGone: sum(({ payloadGone }) => payloadGone),
    headersRedacted: sum(({ headersRedacted }) => headersRedacted),
  };
}

test("what is lost of a large selection is counted in stretches, because all of it at once takes too much memory", async () => {
  await expect(lost(SELECTED, UNITS)).rejects.toThrow(/memory limit/i);

  expect(await lost(SELECTED, UNITS / 6)).toEqual({
    ...LOST,
    endpoints: 5,
    questions: 1 + 6,
  });
});

test("stretches end where the selection does", async () => {
  const selection = {
    ...SELECTED.selection,
    receivedSince: NOW - 4 * HOUR_MS - 1,
    receivedUntil: NOW - HOUR_MS,
  };

  const found = await lost({ ...SELECTED, selection }, UNITS / HOURS);

  // It has the four hours before the newest. In one of them no event has its payload, in two all have it without the header's value.
  expect(found).toMatchObject({
    payloadGone: UNITS / HOURS,
    headersRedacted: (2 * UNITS) / HOURS,
  });
});
