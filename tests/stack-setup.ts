import { startStack, type Stack } from "@postrider/local-stack";

declare global {
  // The teardown runs in the same process and finds the stack only here.
  var postriderTestStack: Stack | undefined;
}

/** Starts the one stack of a test run and passes its addresses to the processes of the tests. */
export default async function setUp(): Promise<void> {
  const stack = await startStack({
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  globalThis.postriderTestStack = stack;
  process.env["KAFKA_BROKERS"] = stack.kafka.brokers.join(",");
  process.env["CLICKHOUSE_URL"] = stack.clickhouse.url;
}
