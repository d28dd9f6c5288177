import {
  headerProblems,
  isTypePattern,
  judgeUrl,
  secretProblem,
  type UrlPolicy,
} from "@postrider/core";
import { z } from "zod";
import { invalid } from "@postrider/http";
import { problemsOf } from "../http/zod-problems.ts";

export const DEFAULT_TIMEOUT_MS = 15_000;
export const DEFAULT_MAX_CONCURRENCY = 16;

/** What a header's value is shown as when its name says that it is a secret; sent back in a change, it keeps the stored value. */
export const REDACTED = "[redacted]";

export type EndpointCreation = z.infer<ReturnType<typeof creationSchema>>;
export type EndpointChange = z.infer<ReturnType<typeof changeSchema>>;

/** What create and change of an endpoint may say; every rule is checked, so that a caller sees all that is wrong at once. */
export interface EndpointInput {
  /** Throws a `ProblemError` that names every field and rule. */
  parseCreation(body: unknown): EndpointCreation;
  /** The same for a change; an empty one is refused. */
  parseChange(body: unknown): EndpointChange;
}

export function createEndpointInput(policy: UrlPolicy): EndpointInput {
  const creation = creationSchema(policy);
  const change = changeSchema(policy);
  return {
    parseCreation: (body) => parse(creation, body),
    parseChange(body) {
      const parsed = parse(change, body);
      if (Object.keys(parsed).length > 0) return parsed;
      const message = "must change at least one field";
      throw invalid([{ field: "body", rule: "required", message }]);
    },
  };
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}

const tenantId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ -");

/** Printable text: control characters would break logs and terminals, and an id is written into both. */
const externalId = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}]*$/u, "must not hold control characters");

const description = z
  .string()
  .max(1024)
  .regex(/^[^\p{Cc}]*$/u, "must not hold control characters");

const eventTypes = z
  .array(
    z.string().refine(isTypePattern, {
      params: { rule: "type_pattern" },
      message: "must be a dotted type, a prefix such as order.*, or *",
    }),
  )
  .min(1)
  .max(100)
  .refine((types) => new Set(types).size === types.length, {
    params: { rule: "unique" },
    message: "must not name a type twice",
  });

/**
 * Any name may be asked for; core says which may not be set. Not a `z.record`: that one leaves out an entry that is named
 * `__proto__`, and its header would be lost without a word.
 */
const headers = z.unknown().transform((given, context) => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    context.addIssue({
      code: "invalid_type",
      expected: "record",
      input: given,
    });
    return z.NEVER;
  }
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "string") entries.push([name, value]);
    else
      context.addIssue({
        code: "invalid_type",
        expected: "string",
        input: value,
        path: [name],
      });
  }
  const texts = Object.fromEntries(entries);
  for (const problem of headerProblems("", texts))
    context.addIssue({
      code: "custom",
      // core names a field `headers.x-team`; the path up to here is zod's to add
      path: problem.field === "" ? [] : [problem.field.slice(1)],
      params: { rule: problem.rule },
      message: problem.message,
    });
  return texts;
});

const secret = z.string().superRefine((text, context) => {
  const problem = secretProblem("secret", text);
  if (problem !== undefined)
    context.addIssue({
      code: "custom",
      params: { rule: problem.rule },
      message: problem.message,
    });
});

/** The wait after each failed attempt: a second to a day each. */
const retryDelaysMs = z.array(z.int().min(1000).max(86_400_000)).min(1).max(50);

function fields(policy: UrlPolicy) {
  const url = z.string().superRefine((text, context) => {
    const judged = judgeUrl(text, policy);
    if (!judged.ok)
      context.addIssue({
        code: "custom",
        params: { rule: judged.rule },
        message: judged.message,
      });
  });
  return {
    url,
    eventTypes,
    description,
    externalId: externalId.nullable(),
    headers,
    timeoutMs: z.int().min(1000).max(60_000),
    maxConcurrency: z.int().min(1).max(1000),
    retryDelaysMs: retryDelaysMs.nullable(),
    notRetryableStatuses: z.array(z.int().min(300).max(599)).max(50),
  };
}

function creationSchema(policy: UrlPolicy) {
  const field = fields(policy);
  return z.strictObject({
    tenantId,
    url: field.url,
    eventTypes: field.eventTypes,
    description: field.description.default(""),
    externalId: field.externalId.default(null),
    headers: field.headers.default({}),
    timeoutMs: field.timeoutMs.default(DEFAULT_TIMEOUT_MS),
    maxConcurrency: field.maxConcurrency.default(DEFAULT_MAX_CONCURRENCY),
    retryDelaysMs: field.retryDelaysMs.default(null),
    notRetryableStatuses: field.notRetryableStatuses.default([]),
    secret: secret.optional(),
  });
}

/** `state` takes what control can carry out today: `enabled` and `disabled`. A pause needs its resume. */
function changeSchema(policy: UrlPolicy) {
  return z
    .strictObject({
      ...fields(policy),
      state: z.enum(["enabled", "disabled"]),
    })
    .partial();
}
