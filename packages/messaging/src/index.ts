export type * from "./record.ts";
export { lastOffsetOf } from "./record.ts";
export { joined, type ValueBytes } from "./value-bytes.ts";
export type * from "./stage.ts";
export * from "./ports.ts";
export { ByPartition } from "./by-partition.ts";
export type * from "./output-port.ts";
export * from "./topics.ts";
export * from "./unfit-value-error.ts";
export * from "./span-attributes.ts";
export * from "./metadata-bytes.ts";
export * from "./settings-check.ts";
export * from "./groups.ts";
export * from "./offsets/partition-lag.ts";
export * from "./rights.ts";
export * from "./asked-admin.ts";
export * from "./rights-check.ts";
export * from "./topics-check.ts";
export * from "./kafkajs/service-kafka.ts";
export * from "./sources/read-sources.ts";
export * from "./sources/source-decoder.ts";
export * from "./schemas/registry-as-json.ts";
export { readPartition } from "./read-partition.ts";
export type { ReadPartitionOptions } from "./read-partition.ts";
export * from "./schemas/avro-codec.ts";
export * from "./schemas/schema-files.ts";
export { FURTHEST_SLOT_MS, reserveSlot } from "./lanes/reserve-slot.ts";
export { partitionOf } from "./output/partitioner.ts";
export * from "./output/output.ts";
export * from "./dead-letter-of.ts";
export type * from "./batch-runner/batch-target.ts";
export type { RecordStage } from "./batch-runner/batch-judge.ts";
export * from "./batch-runner/batch-runner.ts";
export { decodeIntent } from "./batch-runner/intent-metadata.ts";
export * from "./table/table.ts";
export * from "./schemas/schemas.ts";
export * from "./kafkajs/kafka.ts";
export * from "./stage-runner/stage-runner.ts";
export type * from "./offsets/offset-observer.ts";
export {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
} from "./offsets/offset-metadata.ts";
export type { OffsetMetadata } from "./offsets/offset-metadata.ts";
export {
  RUNNER_LIMITS,
  type RunnerLimits,
} from "./stage-runner/runner-limits.ts";
export type { RunnerHealth } from "./stage-runner/runner-health.ts";
