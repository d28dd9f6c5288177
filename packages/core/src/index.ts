export type * from "./records.ts";
export type * from "./roll-ups.ts";
export * from "./table-ttl.ts";
export * from "./control-entry.ts";
export * from "./vocabulary.ts";
export * from "./time.ts";
export * from "./counted.ts";
export * from "./fields.ts";
export type * from "./problem.ts";
export {
  fewProblems,
  problemCount,
  ProblemList,
  problemsAt,
} from "./problem.ts";
// what comes in
export * from "./json-envelope.ts";
export {
  DEFAULT_CONTENT_TYPE,
  DEFAULT_MAX_ATTEMPTS,
  DEFAULT_TIMEOUT_SECONDS,
} from "./envelope-fields.ts";
export * from "./content-type.ts";
export * from "./blank-secret.ts";
export * from "./cloud-event.ts";
export * from "./source.ts";
export * from "./parse-sources.ts";
export * from "./source-event.ts";
export * from "./validate-event.ts";
export * from "./trace-context.ts";
export * from "./headers.ts";
export * from "./secret-header.ts";
export * from "./received-at.ts";
export * from "./secret-rule.ts";
// who gets an event
export * from "./type-pattern.ts";
export * from "./operational-type.ts";
export * from "./fan-out.ts";
export * from "./untried.ts";
export * from "./ids.ts";
// where an event may be sent
export * from "./address.ts";
export * from "./address-policy.ts";
export * from "./url-policy.ts";
// what follows an attempt
export * from "./classify-status.ts";
export * from "./retry-schedule.ts";
export * from "./retry-policy.ts";
export * from "./retry-after.ts";
export * from "./retry-wait.ts";
export * from "./tiers.ts";
export * from "./dispose.ts";
