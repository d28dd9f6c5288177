/** Clocks, builders and a receiver for Postrider's own tests. */
export { useStack, type TestStack } from "./use-stack.ts";
export { execute, rowsOf } from "./clickhouse.ts";
