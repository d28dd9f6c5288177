/** What of an endpoint's body says when its deliveries are tried again. */
import { RETRY_LIMITS, RETRY_PRESETS, retryPreset } from "@postrider/core";
import { z } from "zod";

const { delays, delayMs, attempts, ageMs, statuses, status } = RETRY_LIMITS;

function within({ min, max }: { readonly min: number; readonly max: number }) {
  return z.int().min(min).max(max);
}

const waits = z.array(within(delayMs)).min(delays.min).max(delays.max);
const { $schema: _, ...waitsSchema } = z.toJSONSchema(waits);

/** The wait after each failed attempt, in ms, or the name of a preset, which stands for its waits. */
const retryDelaysMs = z
  .preprocess((given, context) => {
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
  }, waits.nullable())
  .meta({
    description: "The wait after each failed attempt, or a preset's name",
    anyOf: [
      waitsSchema,
      { type: "string", enum: Object.keys(RETRY_PRESETS) },
      { type: "null" },
    ],
  });

export const retryFields = {
  retryDelaysMs,
  maxAttempts: within(attempts)
    .nullable()
    .meta({ description: "The first included; null: one more than waits" }),
  maxAgeMs: within(ageMs)
    .nullable()
    .meta({ description: "No attempt of a delivery that is older" }),
  notRetryableStatuses: z
    .array(within(status))
    .max(statuses.max)
    .meta({ description: "Statuses that end a delivery at once" }),
};
