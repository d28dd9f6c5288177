import { randomBytes } from "node:crypto";
import { createTopics, deleteTopics, listTopics } from "./stack-topics.ts";
import { execute } from "./clickhouse.ts";

/** What a test file has of the run's one Kafka and one ClickHouse. Read its fields inside tests and hooks, not at import. */
export interface TestStack {
  readonly brokers: readonly string[];
  readonly clickhouseUrl: string;
  /** This file's own topic prefix, such as `t3f9a1c.`; also a fine prefix of group ids. */
  readonly prefix: string;
  /** This file's own database; it exists. */
  readonly database: string;
  /** Session timeout for consumers in tests. */
  readonly sessionTimeoutMs: number;
  /** Makes topics `prefix + name`: 2 partitions, `control` and `schemas` 1. Returns the full names. */
  createTopics(...names: readonly string[]): Promise<string[]>;
}

/** Gives the test file its share of the stack; at its end removes its topics and its database. Call it at the top of the file. */
export function useStack(): TestStack {
  const { beforeAll, afterAll } = jestHooks();
  const id = `t${randomBytes(3).toString("hex")}`;
  const stack = {
    brokers: (process.env["KAFKA_BROKERS"] ?? "").split(","),
    clickhouseUrl: process.env["CLICKHOUSE_URL"] ?? "",
    prefix: `${id}.`,
    database: `postrider_${id}`,
    sessionTimeoutMs: 6000,
    createTopics: async (...names: readonly string[]) =>
      await createTopics(stack.brokers, stack.prefix, names),
  };
  beforeAll(async () => {
    if (stack.brokers[0] === "" || stack.clickhouseUrl === "")
      throw new Error(
        "no stack: files that call useStack() are named *.integration.test.ts or *.e2e.test.ts",
      );
    await execute(stack.clickhouseUrl, `CREATE DATABASE ${stack.database}`);
  }, 30_000);
  afterAll(async () => {
    await execute(
      stack.clickhouseUrl,
      `DROP DATABASE IF EXISTS ${stack.database} SYNC`,
    );
    const topics = await listTopics(stack.brokers);
    await deleteTopics(
      stack.brokers,
      topics.filter((topic) => topic.startsWith(stack.prefix)),
    );
  }, 30_000);
  return stack;
}

/** Not by import: outside of jest `@jest/globals` throws, and the CLI imports this package for its receiver. */
function jestHooks(): Pick<
  typeof import("@jest/globals"),
  "beforeAll" | "afterAll"
> {
  const hooks = globalThis as unknown as typeof import("@jest/globals");
  if (typeof hooks.beforeAll !== "function")
    throw new Error("useStack() is for test files");
  return hooks;
}
