/** Reads what a release has left in Kafka and ClickHouse, and judges it as the fault suite does. */
import { join } from "node:path";
import { parseTiers } from "@postrider/core";
import {
  checkInvariants,
  kafkaAt,
  readEntries,
  type Interruption,
} from "@postrider/testkit";
import {
  readLag,
  readLog,
  readTables,
  waitForQuiet,
} from "../../../faults/read-evidence.ts";
import { TIERS } from "./release-values.ts";
import { OUTER_CLICKHOUSE, OUTER_KAFKA } from "./stand-ins.ts";

const QUIET_WITHIN_MS = 120_000;
const SHOWN = 10;

/** Waits until the release is at rest, and checks every invariant. Returns how much there was. Throws with what is wrong. */
export async function judge(options: {
  readonly prefix: string;
  readonly database: string;
  /** Of the ledgers `published` and `received`. */
  readonly folder: string;
  readonly interruptions: readonly Interruption[];
}): Promise<string> {
  const { prefix, database, folder, interruptions } = options;
  const kafka = kafkaAt([OUTER_KAFKA], "kubernetes-test");
  const tierTopics = parseTiers(TIERS).map(({ topic }) => topic);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const lag = await waitForQuiet(
      () => readLag(admin, prefix, tierTopics),
      QUIET_WITHIN_MS,
    );
    const log = await readLog(kafka, prefix);
    const published = readEntries(join(folder, "published"), "published");
    const received = readEntries(join(folder, "received"), "received");
    const violations = checkInvariants({
      ...log,
      ...(await readTables(OUTER_CLICKHOUSE, database, log)),
      published,
      received,
      // The dispatchers' own ledgers are inside of their pods. What those would show about commits, the fault suite looks at.
      runner: [],
      interruptions,
      survivors: [],
      rollUps: [], // the sums are compared, not each bucket
      lag: lag.records,
    });
    if (violations.length > 0) {
      const lines = violations.map(
        ({ invariant, subject, detail }) =>
          `${invariant} ${subject}: ${detail}`,
      );
      throw new Error(
        `${violations.length} violations:\n${lines.slice(0, SHOWN).join("\n")}`,
      );
    }
    return `${published.length} events so far, ${received.length} requests, none lost, no fork`;
  } finally {
    await admin.disconnect();
  }
}
