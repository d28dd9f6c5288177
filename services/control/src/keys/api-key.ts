import type { ApiKey, EpochMs, KeyLimit } from "@postrider/core";
import type { NewKey, Role } from "@postrider/http";
import { rfc3339 } from "../http/rfc3339.ts";

/** What a new key is to be. */
export interface KeyCreation {
  readonly name: string;
  readonly role: Role;
  readonly tenantId: string | null;
  readonly expiresAt: EpochMs | null;
  readonly limit: KeyLimit | null;
}

/** A key as the API shows it: never its token, and no hash. */
export interface KeyView {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly tenantId: string | null;
  readonly state: "active" | "expired" | "revoked";
  readonly limitPerSecond: number | null;
  readonly limitBurst: number | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

export function apiKey(
  { id, hash }: NewKey,
  creation: KeyCreation,
  made: { readonly by: string; readonly at: EpochMs },
): ApiKey {
  return {
    id,
    name: creation.name,
    role: creation.role,
    tenantId: creation.tenantId,
    hash,
    limit: creation.limit,
    createdBy: made.by,
    createdAt: made.at,
    expiresAt: creation.expiresAt,
    revokedAt: null,
  };
}

/** Since when the key is refused; null while it is accepted. */
export function endedAt(key: ApiKey, now: EpochMs): EpochMs | null {
  if (key.revokedAt !== null) return key.revokedAt;
  return key.expiresAt !== null && key.expiresAt <= now ? key.expiresAt : null;
}

export function viewOf(key: ApiKey, now: EpochMs): KeyView {
  const timeOf = (at: EpochMs | null): string | null =>
    at === null ? null : rfc3339(at);
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    tenantId: key.tenantId,
    state: stateOf(key, now),
    limitPerSecond: key.limit?.perSecond ?? null,
    limitBurst: key.limit?.burst ?? null,
    createdBy: key.createdBy,
    createdAt: rfc3339(key.createdAt),
    expiresAt: timeOf(key.expiresAt),
    revokedAt: timeOf(key.revokedAt),
  };
}

function stateOf(key: ApiKey, now: EpochMs): KeyView["state"] {
  if (key.revokedAt !== null) return "revoked";
  return endedAt(key, now) === null ? "active" : "expired";
}
