/** How the parameters of a list are written in a query string. Each wrong one is named with its rule, and an unknown one is refused. */
import { isTypePattern, type EpochMs, type Problem } from "@postrider/core";
import { invalid } from "@postrider/http";
import { z } from "zod";
import { readTime } from "./read-time.ts";
import { ASKED_TIME } from "./text-rules.ts";
import { problemsOf } from "./zod-problems.ts";

export const MAX_PAGE = 1_000;

/** An id or a name, compared as a whole. */
export const exact = z.string().min(1).max(256);

/** A type, or a pattern as endpoints have them. No type has a `*` in it. */
export const typeOrPattern = exact
  .refine((text) => !text.includes("*") || isTypePattern(text), {
    params: { rule: "type_pattern" },
    message: "must be a dotted type, a prefix such as order.*, or *",
  })
  .meta({ description: "A type, or a pattern: `order.paid`, `order.*`" });

/** Part of a text, whatever its case. */
export const part = z
  .string()
  .min(1)
  .max(256)
  .meta({ description: "A part of the error, whatever its case" });

/** A time of day or how long ago; what it means is known only with the time of the request, see `readList`. */
const time = z
  .string()
  .superRefine((text, context) => {
    const read = readTime(text, 0);
    if ("rule" in read) fault(context, read);
  })
  .meta(ASKED_TIME);

/** One or several of a closed list: `failed` or `pending,failed`. */
export function someOf<const T extends string>(choices: readonly T[]) {
  const one = `(${choices.join("|")})`;
  const meta = {
    description: `One, or several with commas between: ${choices.map((choice) => `\`${choice}\``).join(", ")}`,
    pattern: `^${one}(,${one})*$`,
  };
  return z
    .string()
    .meta(meta)
    .transform((text, context): readonly T[] => {
      const given = text.split(",");
      const known = choices.filter((choice) => given.includes(choice));
      if (given.every((one) => (choices as readonly string[]).includes(one)))
        return known;
      return fault(context, {
        rule: "one_of",
        message: `must be one of ${choices.join(", ")}, or several with commas between`,
      });
    });
}

/** The statuses from the first to the last; null: there was no answer with a status. */
export type StatusCodes = {
  readonly first: number;
  readonly last: number;
} | null;

/** `503`, the class `5xx`, or `none`. */
export const statusCodes = z
  .string()
  .meta({
    description: "`503`, the class `5xx`, or `none`: no answer with a status",
    pattern: "^([1-5]([0-9][0-9]|[xX][xX])|none)$",
  })
  .transform((text, context): StatusCodes => {
    if (text === "none") return null;
    if (/^[1-5]xx$/i.test(text)) {
      const first = Number(text[0]) * 100;
      return { first, last: first + 99 };
    }
    if (/^[1-5]\d\d$/.test(text))
      return { first: Number(text), last: Number(text) };
    return fault(context, {
      rule: "status_code",
      message: "must be a status from 100 to 599, a class such as 5xx, or none",
    });
  });

/** A number in a query string. */
export function wholeNumber(least: number, greatest: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(least).max(greatest))
    .meta({ type: "integer", minimum: least, maximum: greatest });
}

/** In every question about a window of time. */
export const WINDOW = {
  since: time.optional(),
  until: time.optional(),
  tenantId: exact.optional(),
};

/** In every list. */
export const PAGED = {
  ...WINDOW,
  limit: wholeNumber(1, MAX_PAGE)
    .default(100)
    .meta({ description: "How many at most" }),
  cursor: z
    .string()
    .min(1)
    .max(2_048)
    .optional()
    .meta({ description: "The `nextCursor` of the page before" }),
};

function fault(
  context: z.RefinementCtx,
  { rule, message }: Omit<Problem, "field">,
): never {
  context.addIssue({ code: "custom", params: { rule }, message });
  return z.NEVER;
}

/** Where a window of time begins and ends, `until` excluded; null: it is open. */
export interface Window {
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
}

type Timed = {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

/** Parses a query string. Throws a `ProblemError` that names every wrong parameter. */
export function readAsked<T extends Timed>(
  schema: z.ZodType<T>,
  query: unknown,
  now: EpochMs,
): Omit<T, "since" | "until"> & Window {
  const parsed = schema.safeParse(query);
  if (!parsed.success)
    throw invalid(
      problemsOf(parsed.error).map((problem) =>
        problem.rule === "unknown"
          ? { ...problem, message: "is not a parameter of this request" }
          : problem,
      ),
    );
  const since = timeAt(parsed.data.since, now);
  const until = timeAt(parsed.data.until, now);
  if (since !== null && until !== null && since >= until)
    throw invalid([
      { field: "since", rule: "before", message: "must be before until" },
    ]);
  return { ...parsed.data, since, until };
}

function timeAt(text: string | undefined, now: EpochMs): EpochMs | null {
  if (text === undefined) return null;
  const read = readTime(text, now);
  return "value" in read ? read.value.getTime() : null; // the schema has let it pass
}
