import { startStack, type Stack } from "@postrider/local-stack";

declare global {
  // The teardown runs in this process and has no other way to the stack.
  var postriderTestStack: Stack | undefined;
}

/** Starts the one stack of a run, and tells the tests' processes where it is. */
export default async function setUp(): Promise<void> {
  const stack = await startStack({
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  globalThis.postriderTestStack = stack;
  process.env["KAFKA_BROKERS"] = stack.kafka.brokers.join(",");
  process.env["CLICKHOUSE_URL"] = stack.clickhouse.url;
}
