/** What of an endpoint's body says when its deliveries are tried again. */
import { RETRY_LIMITS, RETRY_PRESETS, retryPreset } from "@postrider/core";
import { z } from "zod";

const { delays, delayMs, attempts, ageMs, statuses, status } = RETRY_LIMITS;

function within({ min, max }: { readonly min: number; readonly max: number }) {
  return z.int().min(min).max(max);
}

/** The wait after each failed attempt, in ms, or the name of a preset, which stands for its waits. */
const retryDelaysMs = z.preprocess(
  (given, context) => {
    if (typeof given !== "string") return given;
    const preset = retryPreset(given);
    if (preset !== undefined) return [...preset];
    const names = Object.keys(RETRY_PRESETS).join(", ");
    context.addIssue({
      code: "custom",
      params: { rule: "preset" },
      message: `must be a list of ms, or one of ${names}`,
    });
    return z.NEVER;
  },
  z.array(within(delayMs)).min(delays.min).max(delays.max).nullable(),
);

export const retryFields = {
  retryDelaysMs,
  maxAttempts: within(attempts).nullable(),
  maxAgeMs: within(ageMs).nullable(),
  notRetryableStatuses: z.array(within(status)).max(statuses.max),
};
