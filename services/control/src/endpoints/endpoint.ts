import {
  isSecretHeader,
  REDACTED,
  SEALED_HEADERS,
  type Endpoint,
  type EpochMs,
  type SealedSecret,
} from "@postrider/core";
import type { EndpointChange, EndpointCreation } from "./endpoint-input.ts";
import type { EndpointView } from "./endpoint-view.ts";
import { requireFitHeaders } from "./header-rules.ts";
import { withoutMark } from "./header-seal.ts";
import { rfc3339 } from "../http/rfc3339.ts";
import type { PublicKeyOf } from "./public-keys.ts";

export type { EndpointView };

/** Version 1 of an endpoint. Its headers are sealed when it is written (header-seal.ts). */
export function newEndpoint(
  id: string,
  creation: EndpointCreation,
  secret: SealedSecret,
): Endpoint {
  return {
    id,
    externalId: creation.externalId,
    tenantId: creation.tenantId,
    url: creation.url,
    description: creation.description,
    eventTypes: creation.eventTypes,
    filter: creation.filter,
    state: "enabled",
    stateReason: null,
    secrets: [secret],
    signing: creation.signing,
    method: creation.method,
    headers: creation.headers,
    sealedHeaders: {},
    timeoutMs: creation.timeoutMs,
    maxConcurrency: creation.maxConcurrency,
    rateLimit: creation.rateLimit,
    retryDelaysMs: creation.retryDelaysMs,
    maxAttempts: creation.maxAttempts,
    maxAgeMs: creation.maxAgeMs,
    notRetryableStatuses: creation.notRetryableStatuses,
    version: 1,
    createdAt: secret.createdAt,
    updatedAt: secret.createdAt,
  };
}

/** The next version with the change applied, of an endpoint whose headers are opened (header-seal.ts). Enabling removes the reason of the state before; pausing and disabling by hand set one. Throws a `ProblemError` if the headers, with what is kept of the stored ones, break a rule. */
export function changedEndpoint(
  endpoint: Endpoint,
  change: EndpointChange,
  now: EpochMs,
): Endpoint {
  const { state, headers, signing, ...rest } = change;
  const given = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined),
  );
  // The mark is left where the headers are lost: then nothing may be sent until they are given again.
  const mark = endpoint.signing.filter((each) => each === SEALED_HEADERS);
  const profiles = signing ?? withoutMark(endpoint.signing);
  const changed = nextVersion({ ...endpoint, ...given }, now);
  const withHeaders =
    headers === undefined
      ? { ...changed, signing: [...profiles, ...mark] }
      : { ...changed, signing: profiles, ...keepRedacted(headers, endpoint) };
  // Where the state holds already, its reason stays: it may be another's, such as the 410 that disabled the endpoint.
  return state === undefined || state === endpoint.state
    ? withHeaders
    : withState(withHeaders, state, "by hand");
}

export function enabledEndpoint(endpoint: Endpoint, now: EpochMs): Endpoint {
  return withState(nextVersion(endpoint, now), "enabled", null);
}

export function disabledEndpoint(
  endpoint: Endpoint,
  reason: string,
  now: EpochMs,
): Endpoint {
  return withState(nextVersion(endpoint, now), "disabled", reason);
}

export function pausedEndpoint(
  endpoint: Endpoint,
  reason: string,
  now: EpochMs,
): Endpoint {
  return withState(nextVersion(endpoint, now), "paused", reason);
}

/** Without the secrets that have expired. `updatedAt` never goes back, even when the clock does. */
export function nextVersion(endpoint: Endpoint, now: EpochMs): Endpoint {
  return {
    ...endpoint,
    secrets: endpoint.secrets.filter(
      ({ expiresAt }) => expiresAt === null || expiresAt > now,
    ),
    version: endpoint.version + 1,
    updatedAt: Math.max(now, endpoint.updatedAt),
  };
}

function withState(
  endpoint: Endpoint,
  state: "enabled" | "paused" | "disabled",
  reason: string | null,
): Endpoint {
  return {
    ...endpoint,
    state,
    stateReason: state === "enabled" ? null : reason,
  };
}

/**
 * A header that comes back with the value `[redacted]`, as it was shown, keeps its stored value, also one that does not open: otherwise
 * get, edit, patch would lose it. Names are compared without regard to case, as in HTTP, because the caller's library may have changed it.
 */
function keepRedacted(
  given: Readonly<Record<string, string>>,
  stored: Endpoint,
): Pick<Endpoint, "headers" | "sealedHeaders"> {
  const kept = byLowerName(stored.headers);
  const closed = byLowerName(stored.sealedHeaders);
  const headers: [string, string][] = [];
  const sealedHeaders: [string, Endpoint["sealedHeaders"][string]][] = [];
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    const sealed = closed.get(lower);
    if (value === REDACTED && sealed !== undefined)
      sealedHeaders.push([name, sealed]);
    else
      headers.push([
        name,
        value === REDACTED ? (kept.get(lower) ?? value) : value,
      ]);
  }
  const plain = Object.fromEntries(headers);
  requireFitHeaders(plain);
  return { headers: plain, sealedHeaders: Object.fromEntries(sealedHeaders) };
}

function byLowerName<T>(headers: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** Of an endpoint whose headers are opened (header-seal.ts). */
export function viewOf(
  endpoint: Endpoint,
  publicKeyOf: PublicKeyOf,
): EndpointView {
  return {
    id: endpoint.id,
    externalId: endpoint.externalId,
    tenantId: endpoint.tenantId,
    url: endpoint.url,
    description: endpoint.description,
    eventTypes: endpoint.eventTypes,
    filter: endpoint.filter,
    state: endpoint.state,
    stateReason: endpoint.stateReason,
    secrets: endpoint.secrets.map((secret) => ({
      id: secret.id,
      publicKey: publicKeyOf(endpoint, secret) ?? null,
      createdAt: rfc3339(secret.createdAt),
      expiresAt: secret.expiresAt === null ? null : rfc3339(secret.expiresAt),
    })),
    signing: withoutMark(endpoint.signing),
    method: endpoint.method,
    headers: shownHeaders(endpoint),
    timeoutMs: endpoint.timeoutMs,
    maxConcurrency: endpoint.maxConcurrency,
    rateLimit: endpoint.rateLimit,
    retryDelaysMs: endpoint.retryDelaysMs,
    maxAttempts: endpoint.maxAttempts,
    maxAgeMs: endpoint.maxAgeMs,
    notRetryableStatuses: endpoint.notRetryableStatuses,
    version: endpoint.version,
    createdAt: rfc3339(endpoint.createdAt),
    updatedAt: rfc3339(endpoint.updatedAt),
  };
}

/** A value that does not open is shown as a secret one is. */
function shownHeaders({
  headers,
  sealedHeaders,
}: Endpoint): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(headers).map(([name, value]) => [
      name,
      isSecretHeader(name) ? REDACTED : value,
    ]),
    ...Object.keys(sealedHeaders).map((name) => [name, REDACTED]),
  ]);
}
