/** Option parsers for values whose range control would name in other units than the user's. */
import { duration } from "@postrider/runtime";
import { InvalidArgumentError } from "commander";
import { option } from "./command.ts";

const SECONDS_OF = { s: 1, m: 60, h: 3_600 } as const;
const MIN_PER_SECOND = 0.001;
const MAX_PER_SECOND = 100_000;

/** `50/s`, `600/m` or `100/h` as attempts a second, 0.001 to 100,000. */
export function rate(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError("It must be like 50/s, 600/m or 100/h.");
  const perSecond = Number(count) / SECONDS_OF[unit as keyof typeof SECONDS_OF]; // the pattern allows no other
  if (perSecond < MIN_PER_SECOND || perSecond > MAX_PER_SECOND)
    throw new InvalidArgumentError(
      "It must be at least 3.6/h and at most 100000/s. To send nothing: endpoints pause.",
    );
  return perSecond;
}

const MAX_OVERLAP_MS = 30 * 24 * 60 * 60 * 1_000;

/** How long an old secret stays valid (ms), 0 to 30 days. `0` needs no unit. */
export function overlap(text: string): number {
  const overlapMs = text === "0" ? 0 : option(duration)(text);
  if (overlapMs > MAX_OVERLAP_MS)
    throw new InvalidArgumentError("It must be 0 to 30d.");
  return overlapMs;
}
