/** What would be refused of an endpoint that is to be made or changed, and what a change would change. Nothing is written. */
import { isDeepStrictEqual } from "node:util";
import { ProblemList, SEALED_HEADERS, type Endpoint } from "@postrider/core";
import { problemDocument, ProblemError } from "@postrider/http";
import { z } from "zod";
import { holderOf, takenBy, type EndpointTable } from "./endpoint-table.ts";
import type { EndpointCreation, EndpointInput } from "./endpoint-input.ts";
import { changedEndpoint, viewOf } from "./endpoint.ts";
import type { PublicKeyOf } from "./public-keys.ts";
import { requireSignable } from "./signing-rules.ts";
import { filtersProblem } from "./tenant-filters.ts";
import { listOf } from "../http/shown.ts";

export const validationQuery = z.strictObject({
  id: z.string().min(1).max(256).optional().meta({
    description:
      "The endpoint that is to become so. Left out: it is to be created",
  }),
});

export const endpointValidation = z
  .strictObject({
    isValid: z.boolean(),
    errors: problemDocument.shape.errors.meta({
      description: "Everything that would be refused",
    }),
    changes: listOf(
      z.strictObject({
        field: z.string().meta({
          description: "A field, or a header: `headers.x-team`",
        }),
        from: z.unknown(),
        to: z.unknown(),
      }),
    )
      .nullable()
      .meta({
        description:
          "What would change, of an endpoint that there is; values of secret headers are `[redacted]`. Null: it is to be created, or is not valid",
      }),
  })
  .meta({ id: "EndpointValidation" });
export type EndpointValidation = z.infer<typeof endpointValidation>;

/** Judges the body of a creation; for `before`, as what that endpoint is to become: what the body leaves out gets its default, and its state and secrets stay. */
export function validated(
  body: unknown,
  of: {
    readonly input: Pick<EndpointInput, "parseCreation">;
    readonly table: Pick<EndpointTable, "entries">;
    readonly publicKeyOf: PublicKeyOf;
    /** With its headers opened (header-seal.ts). */
    readonly before: Endpoint | undefined;
  },
): EndpointValidation {
  const { before, table } = of;
  const problems = new ProblemList();
  const creation = tried(problems, () => of.input.parseCreation(body));
  const { tenantId, externalId } = named(body);
  if (before !== undefined && tenantId !== before.tenantId)
    problems.add({
      field: "tenantId",
      rule: "kept",
      message: "must be that of the endpoint: an endpoint never changes it",
    });
  const holder = holderOf(table, { tenantId, externalId, except: before?.id });
  if (holder !== undefined) problems.add(takenBy(holder));
  const tooLong =
    creation && filtersProblem(table, { ...creation, id: before?.id });
  if (tooLong) problems.add(tooLong);
  const after =
    creation && before
      ? tried(problems, () => wouldBe(creation, before, of.publicKeyOf))
      : undefined;
  const errors = problems.list();
  const isValid = errors.length === 0;
  return {
    isValid,
    errors,
    changes:
      isValid && before && after
        ? changesOf(before, after, of.publicKeyOf)
        : null,
  };
}

/** The value, or undefined where there is none because of the problems that were added. */
function tried<T>(problems: ProblemList, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { errors } = error as ProblemError<string>;
    problems.addAll(errors);
    return undefined;
  }
}

/** The two fields that others may have, too, also of a body that breaks other rules. */
function named(body: unknown): {
  readonly tenantId: string;
  readonly externalId: string | null;
} {
  const { tenantId, externalId } = (body ?? {}) as Record<string, unknown>;
  return {
    tenantId: typeof tenantId === "string" ? tenantId : "",
    externalId: typeof externalId === "string" ? externalId : null,
  };
}

function wouldBe(
  creation: EndpointCreation,
  before: Endpoint,
  publicKeyOf: PublicKeyOf,
): Endpoint {
  const { tenantId: _, secret: __, secretType: ___, ...settings } = creation;
  const after = changedEndpoint(before, settings, before.updatedAt);
  requireSignable(after, publicKeyOf);
  return after;
}

/** Not a setting: no request changes them, or none of this kind. */
const NO_SETTINGS = new Set([
  "headers",
  "secrets",
  "version",
  "createdAt",
  "updatedAt",
]);

function changesOf(
  before: Endpoint,
  after: Endpoint,
  publicKeyOf: PublicKeyOf,
): NonNullable<EndpointValidation["changes"]> {
  const from = new Map<string, unknown>(
    Object.entries(viewOf(before, publicKeyOf)),
  );
  const fields = Object.entries(viewOf(after, publicKeyOf))
    .filter(
      ([field, to]) =>
        !NO_SETTINGS.has(field) &&
        // What was stored is of the classes of its Avro schema.
        !isDeepStrictEqual(from.get(field), to, { skipPrototype: true }),
    )
    .map(([field, to]) => ({ field, from: from.get(field), to }));
  return [...fields, ...changedHeaders(before, after, publicKeyOf)];
}

/** Compared by their stored values, and shown as the API shows them. */
function changedHeaders(
  before: Endpoint,
  after: Endpoint,
  publicKeyOf: PublicKeyOf,
): NonNullable<EndpointValidation["changes"]> {
  const from = viewOf(before, publicKeyOf).headers;
  const to = viewOf(after, publicKeyOf).headers;
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  // Headers that an older control has lost have no names any more, but nothing is sent until it is said that there are none.
  if (names.size === 0 && isMarked(before) && !isMarked(after))
    return [{ field: "headers", from: null, to }];
  return [...names]
    .filter((name) => valueOf(before, name) !== valueOf(after, name))
    .map((name) => ({
      field: `headers.${name}`,
      from: from[name] ?? null,
      to: to[name] ?? null,
    }));
}

function isMarked({ signing }: Endpoint): boolean {
  return signing.includes(SEALED_HEADERS);
}

/** Of a value that does not open, what is stored: it is the same object where it stays. */
function valueOf({ headers, sealedHeaders }: Endpoint, name: string): unknown {
  if (Object.hasOwn(headers, name)) return headers[name];
  return Object.hasOwn(sealedHeaders, name) ? sealedHeaders[name] : undefined;
}
