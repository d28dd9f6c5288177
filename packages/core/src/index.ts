export type * from "./time.ts";
export type * from "./records.ts";
export * from "./vocabulary.ts";
