import { fewProblems, type Problem } from "./problem.ts";
import type { Destination } from "./records.ts";
import { RETRY_LIMITS } from "./retry-policy.ts";
import { MAX_INLINE_ATTEMPTS } from "./retry-schedule.ts";

/** Both ends included. */
interface Range {
  readonly min: number;
  readonly max: number;
}

const ATTEMPTS = { min: 1, max: MAX_INLINE_ATTEMPTS };
const DELAYS = { min: 1, max: MAX_INLINE_ATTEMPTS - 1 };
const TIMEOUT_SECONDS = { min: 1, max: 60 };

/** The problems of what an inline destination says about its attempts. The ranges are those of an endpoint, but with fewer attempts. */
export function inlinePolicyProblems(
  destination: Omit<Destination, "url" | "secret" | "sealedSecret">,
): Problem[] {
  const { maxAttempts, timeoutSeconds, maxAgeMs } = destination;
  const { ageMs, delayMs, status, statuses } = RETRY_LIMITS;
  return fewProblems([
    ...within("maxAttempts", maxAttempts, ATTEMPTS),
    ...within("timeoutSeconds", timeoutSeconds, TIMEOUT_SECONDS),
    ...(maxAgeMs === null ? [] : within("maxAgeMs", maxAgeMs, ageMs)),
    ...listProblems("retryDelaysMs", destination.retryDelaysMs, {
      entries: DELAYS,
      entry: delayMs,
    }),
    ...listProblems("notRetryableStatuses", destination.notRetryableStatuses, {
      entries: statuses,
      entry: status,
    }),
  ]);
}

function within(field: string, value: number, { min, max }: Range): Problem[] {
  if (Number.isInteger(value) && value >= min && value <= max) return [];
  return [{ field, rule: "range", message: `must be from ${min} to ${max}` }];
}

/** A list with too many entries has one problem, however many of its entries are wrong. */
function listProblems(
  field: string,
  values: readonly number[] | null,
  { entries, entry }: { readonly entries: Range; readonly entry: Range },
): Problem[] {
  if (values === null) return [];
  const { min, max } = entries;
  if (values.length >= min && values.length <= max)
    return values.flatMap((value, at) =>
      within(`${field}[${at}]`, value, entry),
    );
  const message = `must have ${min} to ${max} entries`;
  return [{ field, rule: "size", message }];
}
