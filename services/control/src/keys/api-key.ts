import type { ApiKey, EpochMs, KeyLimit } from "@postrider/core";
import type { NewKey, Role } from "@postrider/http";
import { z } from "zod";
import { rfc3339 } from "../http/rfc3339.ts";
import { oneOf, shownTime } from "../http/shown.ts";

export const ROLES = ["admin", "publisher", "reader"] as const satisfies Role[];

/** What a new key is to be. */
export interface KeyCreation {
  readonly name: string;
  readonly role: Role;
  readonly tenantId: string | null;
  readonly expiresAt: EpochMs | null;
  readonly limit: KeyLimit | null;
}

/** A key as the API shows it: never its token, and no hash. */
export const keyView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    role: oneOf(ROLES),
    tenantId: z
      .string()
      .nullable()
      .meta({ description: "The one tenant that it may see; null: all" }),
    state: z.enum(["active", "expired", "revoked"]),
    limitPerSecond: z
      .number()
      .nullable()
      .meta({ description: "Requests to each process" }),
    limitBurst: z.int().nullable(),
    createdBy: z.string().meta({ description: "Id of the key that made it" }),
    createdAt: shownTime,
    expiresAt: shownTime.nullable(),
    revokedAt: shownTime.nullable(),
  })
  .meta({ id: "Key" });

export type KeyView = z.infer<typeof keyView>;

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
