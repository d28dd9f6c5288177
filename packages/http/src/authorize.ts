/**
 * Who sends a request, and whether that key may: the one place that decides both. It keeps nothing between requests but the limits'
 * buckets, so what is known of a key counts at once.
 */
import { timingSafeEqual } from "node:crypto";
import type { Clock, Meter } from "@postrider/runtime";
import { type Access, requireAccess } from "./access.ts";
import { ADMIN_CALLER } from "./caller.ts";
import { KeyLimits } from "./key-limits.ts";
import { hashOfToken, keyIdOf } from "./key-token.ts";
import {
  KEYS_MAX_AGE_MS,
  type KnownKey,
  type KnownKeys,
} from "./known-keys.ts";
import { CommonProblem } from "./problem-error.ts";

export interface AuthorizeOptions {
  /** The key of `POSTRIDER_ADMIN_KEY`. It has no limit and never expires. */
  readonly adminKey: string;
  readonly keys: KnownKeys;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** Both throw a `CommonProblem`. */
export interface Authorizer {
  /** The valid key in an `authorization` header. */
  keyOf(authorization: string | undefined): KnownKey;
  /** Takes the request from the key's limit, and checks that the key may call a route with this access; null where there is no such route. */
  requireAllowed(key: KnownKey, access: Access | null): void;
}

export function createAuthorizer(options: AuthorizeOptions): Authorizer {
  const { keys, clock } = options;
  const limits = new KeyLimits();
  const limited = options.meter.counter(
    "postrider_api_limited_total",
    "Requests that were refused because their key's limit was reached.",
  );
  const admin: KnownKey = {
    caller: ADMIN_CALLER,
    hash: hashOfToken(options.adminKey),
    limit: null,
    expiresAt: null,
    revokedAt: null,
  };

  function rightKey(authorization = ""): KnownKey {
    const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? "";
    const id = keyIdOf(token);
    const found = id === undefined ? undefined : keys.get(id);
    const known = found ?? admin;
    // In constant time, so that how long it takes shows neither a key's length nor a matching beginning.
    if (timingSafeEqual(hashOfToken(token), known.hash)) return known;
    const isMissing = id !== undefined && found === undefined;
    throw isMissing && keys.behind() !== null
      ? keysBehind()
      : unauthenticated();
  }

  function requireWithinLimit({ caller, limit }: KnownKey): void {
    if (limit === null) return;
    const waitMs = limits.take(caller.keyId, limit, clock.monotonic());
    if (waitMs === 0) return;
    limited.inc();
    throw limitReached(waitMs, limit.perSecond);
  }

  return {
    keyOf(authorization) {
      const key = rightKey(authorization);
      requireValid(key, clock.now());
      if (key !== admin && keys.ageMs() > KEYS_MAX_AGE_MS) throw keysTooOld();
      return key;
    },
    requireAllowed(key, access) {
      requireWithinLimit(key);
      if (access !== null) requireAccess(key.caller, access);
    },
  };
}

/** Only whoever has the right secret learns this. */
function requireValid({ revokedAt, expiresAt }: KnownKey, now: number): void {
  if (revokedAt !== null) throw unauthenticated("revoked", revokedAt);
  if (expiresAt !== null && expiresAt <= now)
    throw unauthenticated("expired", expiresAt);
}

function unauthenticated(
  rule: "bearer" | "revoked" | "expired" = "bearer",
  at = 0,
): CommonProblem {
  const detail =
    rule === "bearer"
      ? "Send a valid key as `authorization: Bearer KEY`."
      : `The key ${rule === "expired" ? "expired" : "was revoked"} at ${new Date(at).toISOString()}. Send another one as \`authorization: Bearer KEY\`.`;
  return new CommonProblem("unauthenticated", detail, {
    errors: [
      { field: "authorization", rule, message: "must carry a valid key" },
    ],
    headers: { "www-authenticate": 'Bearer realm="postrider"' },
  });
}

/** A key that was made a moment ago may be on its way to us. A 401 would make its owner give up. */
function keysBehind(): CommonProblem {
  return new CommonProblem(
    "keys_behind",
    "The key is not known here, and this replica has not read all keys yet. Send it again.",
    { headers: { "retry-after": "1" } },
  );
}

/** It may have been revoked since. Its owner is asked to come back, as the key may well be valid. */
function keysTooOld(): CommonProblem {
  return new CommonProblem(
    "keys_behind",
    "This replica could not read for a day whether keys were revoked, so it accepts none. Send it again, or with the key of the environment (POSTRIDER_ADMIN_KEY).",
    { headers: { "retry-after": "60" } },
  );
}

function limitReached(waitMs: number, perSecond: number): CommonProblem {
  return new CommonProblem(
    "limited",
    `This key may send ${perSecond} requests a second to each process. Nothing was done; send it again.`,
    { headers: { "retry-after": String(Math.ceil(waitMs / 1_000)) } },
  );
}
