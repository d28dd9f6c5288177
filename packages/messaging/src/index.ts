export type * from "./effects.ts";
export type * from "./record.ts";
export type * from "./stage.ts";
export * from "./ports.ts";
export type * from "./output-port.ts";
export * from "./topics.ts";
export * from "./avro-codec.ts";
export * from "./schema-files.ts";
