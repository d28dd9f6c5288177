/** What the audit trail keeps of an endpoint's changes: each changed field, but never a secret or a header's value. */
import { isDeepStrictEqual } from "node:util";
import { REDACTED, type Endpoint } from "@postrider/core";
import type { AuditAction, AuditFact } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import { rfc3339 } from "../http/rfc3339.ts";

/** Null `before`: the endpoint is new; null `after`: it is deleted. But for a re-encryption their headers are opened (header-seal.ts). */
export function endpointFact(
  change:
    | { readonly before: Endpoint; readonly after: Endpoint | null }
    | { readonly before: null; readonly after: Endpoint },
  cause: Cause,
): AuditFact {
  const { before, after } = change;
  const { id, tenantId } = change.before ?? change.after;
  const fact = {
    ...cause,
    tenantId,
    subject: "endpoint",
    subjectId: id,
  } as const;
  if (before !== null && after !== null && isResealed(before, after))
    return {
      ...fact,
      action: "secrets_reencrypted",
      detail: {
        secrets: { from: keysOf(before), to: keysOf(after) },
        ...(headerKeysOf(after).length > 0 && {
          headers: { from: headerKeysOf(before), to: headerKeysOf(after) },
        }),
      },
    };
  return {
    ...fact,
    action: actionOf(before, after),
    detail: detailOf(before, after),
  };
}

/** Whether another key seals one of the same secrets or headers now, or one where none did. Such a write changes nothing else. */
function isResealed(before: Endpoint, after: Endpoint): boolean {
  const kids = new Map(before.secrets.map(({ id, kid }) => [id, kid]));
  const headerKids = new Map(
    headerKeysOf(before).map(({ name, kid }) => [name, kid]),
  );
  return (
    after.secrets.some(({ id, kid }) => kids.has(id) && kids.get(id) !== kid) ||
    headerKeysOf(after).some(
      ({ name, kid }) =>
        kid !== null && headerKids.has(name) && headerKids.get(name) !== kid,
    )
  );
}

function keysOf({ secrets }: Endpoint) {
  return secrets.map(({ id, kid }) => ({ id, kid }));
}

/** Null: no key has sealed it yet. */
function headerKeysOf({ headers, sealedHeaders }: Endpoint) {
  return [
    ...Object.keys(headers).map((name) => ({ name, kid: null })),
    ...Object.entries(sealedHeaders).map(([name, { kid }]) => ({ name, kid })),
  ];
}

/** A change of state gives the action its name, also where other fields change with it. */
function actionOf(
  before: Endpoint | null,
  after: Endpoint | null,
): AuditAction {
  if (before === null) return "created";
  if (after === null) return "deleted";
  if (after.state === before.state) {
    const known = new Set(before.secrets.map(({ id }) => id));
    const isRotated = after.secrets.some(({ id }) => !known.has(id));
    return isRotated ? "secret_rotated" : "changed";
  }
  if (after.state !== "enabled")
    return after.state === "paused" ? "paused" : "disabled";
  return before.state === "paused" ? "resumed" : "enabled";
}

/** How a field is shown. The compiler asks for each field that an endpoint gets: whether it may be shown is for a person to decide. */
const SHOWN: Readonly<
  Record<Exclude<keyof Endpoint, NotADetail>, (endpoint: Endpoint) => unknown>
> = {
  externalId: ({ externalId }) => externalId,
  url: ({ url }) => withoutQueryValues(url),
  description: ({ description }) => description,
  eventTypes: ({ eventTypes }) => eventTypes,
  filter: ({ filter }) => filter,
  state: ({ state }) => state,
  stateReason: ({ stateReason }) => stateReason,
  secrets: ({ secrets }) =>
    secrets.map(({ id, expiresAt }) => ({
      id,
      expiresAt: expiresAt === null ? null : rfc3339(expiresAt),
    })),
  signing: ({ signing }) => signing,
  method: ({ method }) => method,
  headers: (endpoint) => headerKeysOf(endpoint).map(({ name }) => name),
  timeoutMs: ({ timeoutMs }) => timeoutMs,
  maxConcurrency: ({ maxConcurrency }) => maxConcurrency,
  rateLimit: ({ rateLimit }) => rateLimit,
  retryDelaysMs: ({ retryDelaysMs }) => retryDelaysMs,
  maxAttempts: ({ maxAttempts }) => maxAttempts,
  maxAgeMs: ({ maxAgeMs }) => maxAgeMs,
  notRetryableStatuses: ({ notRetryableStatuses }) => notRetryableStatuses,
  version: ({ version }) => version,
};

/** The record itself has these, and `headers` tells of those that do not open. */
type NotADetail =
  "id" | "tenantId" | "createdAt" | "updatedAt" | "sealedHeaders";

/** `{"timeoutMs":{"from":15000,"to":5000}}`. What has no value on one side is left out there. */
function detailOf(
  before: Endpoint | null,
  after: Endpoint | null,
): Record<string, unknown> {
  const detail: Record<string, unknown> = {};
  for (const [name, shown] of Object.entries(SHOWN)) {
    // The names of SHOWN are names of an endpoint's fields.
    const field = name as keyof typeof SHOWN;
    const isSame =
      isEqual(before?.[field], after?.[field]) &&
      (field !== "headers" ||
        isEqual(before?.sealedHeaders, after?.sealedHeaders));
    if (isSame) continue;
    const from = valueOf(before, shown);
    const to = valueOf(after, shown);
    if (from === undefined && to === undefined) continue;
    detail[field] = {
      from,
      to,
      ...(field === "headers" && { changed: changedHeaders(before, after) }),
    };
  }
  return detail;
}

/** What was stored is of the classes of its Avro schema. */
function isEqual(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other, { skipPrototype: true });
}

function valueOf(
  endpoint: Endpoint | null,
  shown: (endpoint: Endpoint) => unknown,
): unknown {
  const value = endpoint === null ? null : shown(endpoint);
  const isEmpty =
    value === null || value === "" || (Array.isArray(value) && !value.length);
  return isEmpty ? undefined : value;
}

/** Names of the headers that are on both sides, with another value: which value, is not told. One that did not open counts as another. */
function changedHeaders(
  before: Endpoint | null,
  after: Endpoint | null,
): readonly string[] | undefined {
  if (before === null || after === null) return undefined;
  return Object.keys(after.headers).filter(
    (name) =>
      Object.hasOwn(before.sealedHeaders, name) ||
      (Object.hasOwn(before.headers, name) &&
        before.headers[name] !== after.headers[name]),
  );
}

/** A URL's query may hold a token, and its fragment, too. Where only that changed, both sides look the same. */
function withoutQueryValues(url: string): string {
  const [, start = "", query = "", end = ""] =
    /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(url) ?? [];
  return `${start}${query.replaceAll(/[^?&]+/g, (part) => {
    const at = part.indexOf("=");
    return at < 0 ? REDACTED : `${part.slice(0, at)}=${REDACTED}`;
  })}${end && `#${REDACTED}`}`;
}
