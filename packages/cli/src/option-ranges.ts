/** Option parsers for values whose range control would name in other units than the user's. */
import { RETRY_LIMITS, RETRY_PRESETS, retryPreset } from "@postrider/core";
import { duration, integer, list } from "@postrider/runtime";
import { InvalidArgumentError } from "commander";
import { option } from "./command.ts";

const SECONDS_OF = { s: 1, m: 60, h: 3_600 } as const;
const MIN_PER_SECOND = 0.001;
const MAX_PER_SECOND = 100_000;

/** `50/s`, `600/m` or `100/h` as attempts a second, 0.001 to 100,000. */
export const rate = rateWith(" To send nothing: endpoints pause.");
/** The same as requests a second. */
export const requestRate = rateWith("");

function rateWith(advice: string): (text: string) => number {
  return (text) => {
    const [, count, unit] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(text) ?? [];
    if (count === undefined)
      throw new InvalidArgumentError("It must be like 50/s, 600/m or 100/h.");
    const perSecond =
      Number(count) / SECONDS_OF[unit as keyof typeof SECONDS_OF]; // the pattern allows no other
    if (perSecond < MIN_PER_SECOND || perSecond > MAX_PER_SECOND)
      throw new InvalidArgumentError(
        `It must be at least 3.6/h and at most 100000/s.${advice}`,
      );
    return perSecond;
  };
}

const MAX_OVERLAP_MS = 30 * 24 * 60 * 60 * 1_000;

/** How long an old secret stays valid (ms), 0 to 30 days. `0` needs no unit. */
export function overlap(text: string): number {
  const overlapMs = text === "0" ? 0 : option(duration)(text);
  if (overlapMs > MAX_OVERLAP_MS)
    throw new InvalidArgumentError("It must be 0 to 30d.");
  return overlapMs;
}

/** Takes a setting back: what is built in holds again. A text, because commander turns a null into an empty text. */
export const DEFAULT = "default";

function orDefault<T>(
  parse: (text: string) => T,
): (text: string) => T | typeof DEFAULT {
  return (text) => (text.trim() === DEFAULT ? DEFAULT : parse(text));
}

const PRESETS = Object.keys(RETRY_PRESETS).join(", ");

/** Waits (ms), 1 to 50 of a second to a day; the name of a preset as it is, because control knows its waits. */
export const retryWaits = orDefault((text): readonly number[] | string => {
  if (retryPreset(text) !== undefined) return text;
  const { delays, delayMs } = RETRY_LIMITS;
  try {
    const waits = list(text).map(duration);
    const isFit = (wait: number): boolean =>
      wait >= delayMs.min && wait <= delayMs.max;
    if (waits.length <= delays.max && waits.every(isFit)) return waits;
  } catch {
    // Reported below, with all that it may be.
  }
  throw new InvalidArgumentError(
    `It must be ${PRESETS}, default, or ${delays.min} to ${delays.max} waits of 1s to 24h, such as 5s,5m,1h.`,
  );
});

export const maxAttempts = orDefault(
  option(integer(RETRY_LIMITS.attempts.min, RETRY_LIMITS.attempts.max)),
);

/** An age (ms), from a second to 30 days. */
export const maxAge = orDefault((text) => {
  const ageMs = option(duration)(text);
  const { min, max } = RETRY_LIMITS.ageMs;
  if (ageMs < min || ageMs > max)
    throw new InvalidArgumentError("It must be 1s to 30d, or default.");
  return ageMs;
});

/** HTTP statuses from 300 to 599; `none` is an empty list. */
export function neverRetried(text: string): number[] {
  if (text.trim() === "none") return [];
  const { min, max } = RETRY_LIMITS.status;
  return option(list)(text).map(option(integer(min, max)));
}
