/** The options of an endpoint's policy: when its deliveries are tried again, and the method of its requests. */
import { REQUEST_METHODS, type RequestMethod } from "@postrider/core";
import { oneOf } from "@postrider/runtime";
import type { Command } from "commander";
import { option } from "../command.ts";
import {
  DEFAULT,
  maxAge,
  maxAttempts,
  neverRetried,
  retryWaits,
} from "../option-ranges.ts";

export interface PolicySettings {
  /** A text is the name of a preset, or `default`. */
  readonly retry?: readonly number[] | string;
  readonly maxAttempts?: number | typeof DEFAULT;
  readonly maxAge?: number | typeof DEFAULT;
  readonly neverRetry?: readonly number[];
  readonly method?: RequestMethod;
}

export function withPolicy(made: Command): Command {
  return made
    .option(
      "--retry-delays, --retry <waits>",
      "the wait after each failed attempt: 5s,5m,1h, or standard-webhooks; default: as built in",
      retryWaits,
    )
    .option(
      "--max-attempts <n>",
      "attempts in all, 1 to 100: cuts the waits, or goes on with the last one; default: one more than waits",
      maxAttempts,
    )
    .option(
      "--max-age <duration>",
      "no attempt of a delivery that is older, 1s to 30d; default: 72h, or all waits where that is longer",
      maxAge,
    )
    .option(
      "--never-retry <statuses>",
      "statuses that end a delivery, e.g. 400,422; none: no such status (default on create)",
      neverRetried,
    )
    .option(
      "--method <method>",
      "POST, PUT or PATCH (default on create: POST)",
      option(oneOf(REQUEST_METHODS)),
    );
}

/** The fields of the API's body; what is not given is undefined. */
export function policyBody(options: PolicySettings): Record<string, unknown> {
  return {
    retryDelaysMs: orNull(options.retry),
    maxAttempts: orNull(options.maxAttempts),
    maxAgeMs: orNull(options.maxAge),
    notRetryableStatuses: options.neverRetry,
    method: options.method,
  };
}

function orNull<T>(given: T | typeof DEFAULT): T | null {
  return given === DEFAULT ? null : given;
}
