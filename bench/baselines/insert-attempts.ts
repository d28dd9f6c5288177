/** Baseline: a bare loop that reads attempts with kafkajs, decodes them with avsc and inserts them in the recorder's format. BROKER TOPIC GROUP URL DATABASE COUNT BATCH */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createClient } from "@clickhouse/client";
import type { Attempt } from "@postrider/core";
import avro, { type Schema } from "avsc";
import { Kafka, logLevel } from "kafkajs";
import { ATTEMPTS, type Row } from "../../services/recorder/src/columns.ts";
import { encodeBlock } from "../../services/recorder/src/native/block.ts";

const [broker = "", topic = "", groupId = "", ...rest] = process.argv.slice(2);
const [url = "", database = "", total, batch] = rest;
const schema = new URL("../../schemas/attempt.avsc", import.meta.url);
const type = avro.Type.forSchema(
  JSON.parse(readFileSync(schema, "utf8")) as Schema,
);
/** Avro's single-object encoding: two bytes, and eight of the schema's fingerprint. */
const HEAD_BYTES = 10;
const names = ATTEMPTS.columns.map(({ name }) => name).join(", ");
const clickhouse = createClient({ url, database });
let rows: Row<Attempt>[] = [];
let seen = 0;

async function insert(): Promise<void> {
  const { stream } = await clickhouse.exec({
    query: `INSERT INTO attempts (${names}) FORMAT Native`,
    values: Readable.from([encodeBlock(ATTEMPTS.columns, rows)], {
      objectMode: false,
    }),
    clickhouse_settings: { async_insert: 0, wait_end_of_query: 1 },
  });
  await text(stream);
  rows = [];
}

const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId });
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  eachBatch: async ({ batch: { partition, messages } }) => {
    for (const { offset, timestamp, key, value } of messages) {
      rows.push({
        value: type.fromBuffer(value!.subarray(HEAD_BYTES)) as Attempt, // the topic holds attempts only
        raw: {
          topic,
          partition,
          key,
          value,
          headers: {},
          offset: Number(offset),
          timestamp: Number(timestamp),
        },
      });
      seen += 1;
      if (rows.length === Number(batch) || seen === Number(total))
        await insert();
    }
  },
});
