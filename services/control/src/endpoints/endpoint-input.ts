import {
  headerProblems,
  isTypePattern,
  judgeUrl,
  REQUEST_METHODS,
  type UrlPolicy,
} from "@postrider/core";
import { z } from "zod";
import { invalid } from "@postrider/http";
import { printable, tenantId } from "../http/text-rules.ts";
import { problemsOf } from "../http/zod-problems.ts";
import { ENDPOINT_STATES } from "./endpoint-view.ts";
import { filter } from "./filter-input.ts";
import { redactedProblems } from "./header-rules.ts";
import { retryFields } from "./retry-input.ts";
import {
  newSecret,
  refuseTwoSecrets,
  refuseUnfitSigning,
  rotation,
  signing,
} from "./signing-input.ts";

export const DEFAULT_TIMEOUT_MS = 15_000;
export const DEFAULT_MAX_CONCURRENCY = 16;

export type EndpointCreation = z.infer<ReturnType<typeof creationSchema>>;
export type EndpointChange = z.infer<ReturnType<typeof changeSchema>>;
export type SecretRotation = z.infer<typeof rotation>;

/** Parses the bodies of create, change and rotate-secret. All rules are checked, so that a caller sees every problem at once. */
export interface EndpointInput {
  /** Throws a `ProblemError` that names every wrong field and the rule it broke. */
  parseCreation(body: unknown): EndpointCreation;
  /** Throws as `parseCreation` does; an empty change is refused, too. */
  parseChange(body: unknown): EndpointChange;
  /** Throws as `parseCreation` does. Without a body, everything has its default. */
  parseRotation(body: unknown): SecretRotation;
  /** The reason of a pause or a disable; `undefined` where the body is missing or gives none. Throws as `parseCreation` does. */
  parseReason(body: unknown): string | undefined;
  /** The schemas of these bodies. A caller whose key has a tenant may leave out that of a creation. */
  readonly schemas: Readonly<
    Record<"creation" | "change" | "rotation" | "reason", z.ZodType>
  >;
}

export function createEndpointInput(policy: UrlPolicy): EndpointInput {
  const creation = creationSchema(policy);
  const change = changeSchema(policy);
  const schemas = {
    creation: creationFields(policy).partial({ tenantId: true }),
    change,
    rotation,
    reason: reasonSchema,
  };
  return {
    schemas,
    parseCreation: (body) => parse(creation, body),
    parseChange(body) {
      const parsed = parse(change, body);
      if (Object.keys(parsed).length > 0) return parsed;
      const message = "must change at least one field";
      throw invalid([{ field: "body", rule: "required", message }]);
    },
    parseRotation: (body) => parse(rotation, body === undefined ? {} : body),
    parseReason: (body) => parse(reasonSchema, body ?? {}).reason,
  };
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}

const externalId = printable.min(1).max(128).meta({
  description: "Your own id of it, once per tenant",
});

const description = printable.max(1024);

const reasonSchema = z.strictObject({
  reason: description.min(1).optional(),
});

export const eventTypes = z
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
  })
  .meta({ description: "Each a type, a prefix such as `order.*`, or `*`" });

/**
 * Accepts headers of any name; core says which names are forbidden. Not a `z.record`, because that silently leaves out an
 * entry named `__proto__`, and its header would be lost.
 */
const headers = z
  .unknown()
  .transform((given, context) => {
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
        // Core names a field `headers.x-team`; zod adds the path up to `headers` itself.
        path: problem.field === "" ? [] : [problem.field.slice(1)],
        params: { rule: problem.rule },
        message: problem.message,
      });
    return texts;
  })
  .meta({
    type: "object",
    additionalProperties: { type: "string" },
    description: "Sent with each request; not those that Postrider sets itself",
  });

/** Without a burst it is a second's worth of attempts. */
const rateLimit = z
  .strictObject({
    perSecond: z
      .number()
      .min(0.001)
      .max(100_000)
      .meta({ description: "Attempts that may start" }),
    burst: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .meta({ description: "How many at once; default: a second's worth" }),
  })
  .transform(({ perSecond, burst = Math.max(1, Math.ceil(perSecond)) }) => ({
    perSecond,
    burst,
  }));

function fields(policy: UrlPolicy) {
  const url = z
    .string()
    .superRefine((text, context) => {
      const judged = judgeUrl(text, policy);
      if (!judged.ok)
        context.addIssue({
          code: "custom",
          params: { rule: judged.rule },
          message: judged.message,
        });
    })
    .meta({
      description: "https and a public host, unless the settings allow others",
    });
  return {
    url,
    eventTypes,
    filter: filter.nullable(),
    description,
    externalId: externalId.nullable(),
    signing,
    method: z.enum(REQUEST_METHODS),
    headers,
    timeoutMs: z
      .int()
      .min(1000)
      .max(60_000)
      .meta({ description: "Of an attempt, from DNS to the last byte" }),
    maxConcurrency: z
      .int()
      .min(1)
      .max(1000)
      .meta({ description: "Requests at once" }),
    rateLimit: rateLimit.nullable(),
    ...retryFields,
  };
}

function creationSchema(policy: UrlPolicy) {
  return creationFields(policy)
    .superRefine(refuseTwoSecrets)
    .superRefine(refuseUnfitSigning)
    .superRefine(refuseRedacted);
}

function creationFields(policy: UrlPolicy) {
  const field = fields(policy);
  return z.strictObject({
    tenantId,
    url: field.url,
    eventTypes: field.eventTypes,
    filter: field.filter.default(null),
    description: field.description.default(""),
    externalId: field.externalId.default(null),
    signing: field.signing.default(["standard"]),
    method: field.method.default("POST"),
    headers: field.headers.default({}),
    timeoutMs: field.timeoutMs.default(DEFAULT_TIMEOUT_MS),
    maxConcurrency: field.maxConcurrency.default(DEFAULT_MAX_CONCURRENCY),
    rateLimit: field.rateLimit.default(null),
    retryDelaysMs: field.retryDelaysMs.default(null),
    maxAttempts: field.maxAttempts.default(null),
    maxAgeMs: field.maxAgeMs.default(null),
    notRetryableStatuses: field.notRetryableStatuses.default([]),
    ...newSecret,
  });
}

/** Nothing is stored yet, so nothing can be kept. */
function refuseRedacted(
  given: { readonly headers: Readonly<Record<string, string>> },
  context: z.RefinementCtx,
): void {
  for (const { field, rule, message } of redactedProblems(given.headers)) {
    const path = ["headers", field.slice("headers.".length)];
    context.addIssue({ code: "custom", path, params: { rule }, message });
  }
}

function changeSchema(policy: UrlPolicy) {
  return z
    .strictObject({
      ...fields(policy),
      state: z.enum(ENDPOINT_STATES),
    })
    .partial();
}
