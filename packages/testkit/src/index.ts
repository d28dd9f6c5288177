/** Clocks, builders, a receiver and access to the test run's stack, for Postrider's own tests. */
export * from "./builders.ts";
export * from "./test-effects.ts";
export * from "./fake-clock.ts";
export * from "./fake-consumer.ts";
export * from "./runner-harness.ts";
export * from "./batch-runner-harness.ts";
export * from "./wait-for.ts";
export * from "./use-stack.ts";
export * from "./use-registry.ts";
export {
  createTopics,
  createAllTopics,
  deleteTopicsUnder,
  kafkaAt,
} from "./stack-topics.ts";
export { execute, rowsOf } from "./clickhouse.ts";
export * from "./receiver.ts";
export * from "./otlp-receiver.ts";
export * from "./recording-tracer.ts";
export * from "./raw-receiver.ts";
export * from "./raw-request.ts";
export * from "./misbehaviour.ts";
export * from "./misbehaviours/index.ts";
export * from "./certificate.ts";
export * from "./ledger.ts";
export type * from "./evidence.ts";
export * from "./runner-replay.ts";
export * from "./seeded-random.ts";
export { fuzz, type FuzzOptions } from "./fuzz.ts";
export { mutated } from "./mutated.ts";
export * from "./raw-batch.ts";
export * from "./read-topic.ts";
export * from "./follow-topic.ts";
export * from "./tcp-proxy.ts";
export * from "./kafka-proxy.ts";
export * from "./guarded-proxy.ts";
export * from "./http-fault-proxy.ts";
export * from "./next-schema.ts";
export * from "./invariant-checker.ts";
