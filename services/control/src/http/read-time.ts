/** How a time is written by a caller, in a query string and in a body. */
import { parseTime, type EpochMs, type Problem } from "@postrider/core";
import { duration } from "@postrider/runtime";

/** RFC 3339, epoch milliseconds, `now`, or how long before it. */
export function readTime(
  text: string,
  now: EpochMs,
): { readonly value: Date } | Pick<Problem, "rule" | "message"> {
  const at =
    text === "now"
      ? now
      : (agoOf(text, now) ??
        parseTime(/^\d{12,13}$/.test(text) ? Number(text) : text));
  return at === undefined
    ? {
        rule: "time",
        message:
          "must be a time: RFC 3339, epoch milliseconds, now, or how long ago, such as 15m, 6h or 7d",
      }
    : { value: new Date(at) };
}

/** `6h`: that long before now. */
function agoOf(text: string, now: EpochMs): EpochMs | undefined {
  try {
    return Math.max(now - duration(text), 0);
  } catch {
    return undefined;
  }
}
