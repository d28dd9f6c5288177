/** Rules for texts that several requests carry. */
import { z } from "zod";

export const tenantId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ -");

/** Control characters would break logs and terminals. Half of a surrogate pair has no UTF-8: it would be stored as U+FFFD, and two different ids could be the same. */
export const printable = z
  .string()
  .regex(
    /^[^\p{Cc}\p{Cs}]*$/u,
    "must not hold control characters or halves of surrogate pairs",
  );

/** For the document: what `readTime` reads. */
export const ASKED_TIME = {
  description:
    "RFC 3339, epoch milliseconds, `now`, or how long ago, such as `15m`, `6h` or `7d`",
  examples: ["6h"],
};

/** For the document: what a replay reads. */
export const GIVEN_TIME = {
  description:
    "RFC 3339, epoch milliseconds, or how long before `selectedAt`, such as `6h`",
  anyOf: [{ type: "string" }, { type: "integer" }],
};
