import { randomBytes } from "node:crypto";
import type { Kafka } from "@postrider/messaging";
import { execute } from "./clickhouse.ts";
import { afterAllOthers, jestHooks } from "./jest-hooks.ts";
import {
  createAllTopics,
  createTopics,
  deleteTopicsUnder,
  kafkaAt,
} from "./stack-topics.ts";

/** A test file's share of the test run's one Kafka and one ClickHouse. */
export interface TestStack {
  readonly brokers: readonly string[];
  readonly clickhouseUrl: string;
  /** This file's own topic prefix, such as `t3f9a1c.`; use it for group ids, too. */
  readonly prefix: string;
  /** This file's own database; it exists from the first test on. */
  readonly database: string;
  /** A short session timeout for consumers in tests, so that a lost member is noticed soon; long enough that a busy machine loses none. */
  readonly sessionTimeoutMs: number;
  /** What `startServices` (packages/cli) needs of this share; without a registry. */
  readonly forServices: {
    readonly stack: {
      readonly kafka: { readonly brokers: readonly string[] };
      readonly clickhouse: { readonly url: string };
      readonly schemaRegistry: null;
    };
    readonly prefix: string;
    readonly database: string;
  };
  /** The product's own Kafka adapters, connected to this broker. */
  kafka(): Kafka;
  /** Makes topics `prefix + name`, with the plan's settings where the plan has the topic, else the defaults: 2 partitions; `control` and `schemas` 1. Returns the full names. */
  createTopics(...names: readonly string[]): Promise<string[]>;
  /** Makes every topic of the plan with these tiers (`retry.1s`). Returns the full names. */
  createAllTopics(...tierTopics: readonly string[]): Promise<string[]>;
}

/** Gives a test file its share of the stack, and removes the file's topics and database at the end. Call it at the top of the file. */
export function useStack(): TestStack {
  const { beforeAll } = jestHooks("useStack");
  const id = `t${randomBytes(3).toString("hex")}`;
  const prefix = `${id}.`;
  const database = `postrider_${id}`;
  const brokers = (process.env["KAFKA_BROKERS"] ?? "").split(",");
  const clickhouseUrl = process.env["CLICKHOUSE_URL"] ?? "";
  const kafka = (): Kafka => kafkaAt(brokers, `postrider-${id}`);

  beforeAll(async () => {
    if (brokers[0] === "" || clickhouseUrl === "") {
      throw new Error(
        "no stack: a file that calls useStack() is named *.integration.test.ts or *.e2e.test.ts",
      );
    }
    await execute(clickhouseUrl, `CREATE DATABASE ${database}`);
  });
  const removeAll = async (): Promise<void> => {
    await execute(clickhouseUrl, `DROP DATABASE IF EXISTS ${database} SYNC`);
    await deleteTopicsUnder(kafka(), prefix);
  };
  afterAllOthers("useStack", removeAll);

  return {
    brokers,
    clickhouseUrl,
    prefix,
    database,
    sessionTimeoutMs: 10_000,
    forServices: {
      stack: {
        kafka: { brokers },
        clickhouse: { url: clickhouseUrl },
        schemaRegistry: null,
      },
      prefix,
      database,
    },
    kafka,
    createTopics: (...names) => createTopics(kafka(), prefix, names),
    createAllTopics: (...tiers) => createAllTopics(kafka(), prefix, tiers),
  };
}
