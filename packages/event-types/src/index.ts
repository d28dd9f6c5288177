export * from "./type-level.ts";
export * from "./entry-names.ts";
export * from "./event-type-problems.ts";
export * from "./subschemas-of.ts";
export * from "./type-catalogue.ts";
