/**
 * The API keys as the topic `control` has them, and the writes that change them. Invariant: a key's token is never stored, and at
 * most `maxKeys` records are: an ended key (revoked or expired) stays as its own record for 30 days, or until its room is needed,
 * by a key of its own tenant first. Who made and revoked it stays in `audit`.
 */
import { controlEntry, type ApiKey, type EpochMs } from "@postrider/core";
import { keyEntry, newKey } from "@postrider/http";
import type { ProducerRecord } from "@postrider/messaging";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import { isVisible } from "../http/callers-tenant.ts";
import { ControlProblem } from "../http/problem.ts";
import type { ControlStoreOptions } from "../writer/control-store.ts";
import type { Tenure } from "../writer/ownership.ts";
import { apiKey, endedAt, viewOf, type KeyCreation } from "./api-key.ts";

export interface KeyStore {
  /** The keys that a caller with this tenant may see. */
  visible(callersTenant: string | null): ApiKey[];
  /** Throws the problem `not_found` for a key that does not exist, or that the caller may not see. */
  get(id: string, callersTenant: string | null): ApiKey;
  /** The token cannot be read again later. Throws the problem `conflict` if there are too many keys. */
  create(
    creation: KeyCreation,
    cause: Cause,
  ): Promise<{ readonly key: ApiKey; readonly token: string }>;
  /** A key that is revoked already stays as it is. Throws as `get` does. */
  revoke(
    id: string,
    terms: { readonly callersTenant: string | null; readonly cause: Cause },
  ): Promise<ApiKey>;
}

export interface KeyStoreOptions extends ControlStoreOptions {
  readonly audit: AuditTrail;
  /** The most records of keys. Every process keeps them all in memory. Default 10,000. */
  readonly maxKeys?: number;
  /** The most records of one tenant, so that it leaves room for others. Default 1,000. */
  readonly maxOfTenant?: number;
}

const KEPT_MS = 30 * 24 * 60 * 60 * 1_000;
/** The most records of a kind that one change removes along with it, so that it stays small. */
const MAX_FORGOTTEN = 100;

export function createKeyStore(options: KeyStoreOptions): KeyStore {
  const { tenureWriter, table, encode, topic, clock, log } = options;
  const { maxKeys = 10_000, maxOfTenant = 1_000 } = options;
  const { inTurn, owner } = tenureWriter;

  const stored = (id: string): ApiKey | undefined =>
    table.get(keyEntry(id))?.key ?? undefined;

  function all(): ApiKey[] {
    const keys: ApiKey[] = [];
    for (const [, { key }] of table.entries()) if (key !== null) keys.push(key);
    return keys;
  }

  function visibleKey(id: string, callersTenant: string | null): ApiKey {
    const key = stored(id);
    if (key === undefined || !isVisible(key, callersTenant))
      throw unknownKey(id);
    return key;
  }

  function recordOf(id: string, key: ApiKey | null): ProducerRecord {
    const name = keyEntry(id);
    const value =
      key === null
        ? null
        : encode({
            topic: "control",
            key: name,
            value: controlEntry({ key }),
          });
    return { topic, partition: 0, key: Buffer.from(name), value };
  }

  /** Writes a changed key, the records that may go, and the change's audit record. */
  async function write(
    tenure: Tenure,
    key: ApiKey,
    change: {
      readonly action: "created" | "revoked";
      readonly cause: Cause;
      readonly forgotten: readonly ApiKey[];
    },
  ): Promise<void> {
    const { action, cause, forgotten } = change;
    const records = [
      recordOf(key.id, key),
      ...forgotten.map(({ id }) => recordOf(id, null)),
      options.audit.recordOf({
        ...cause,
        tenantId: key.tenantId,
        subject: "key",
        subjectId: key.id,
        action,
        detail: detailOf(key, action),
      }),
    ];
    await tenureWriter.write(tenure, records, () => {
      if (stored(key.id)?.revokedAt !== key.revokedAt)
        throw new Error("the table does not show the key after it");
    });
    log.info(`key.${action}`, {
      keyId: key.id,
      role: key.role,
      tenantId: key.tenantId,
      actor: cause.actor,
      requestId: cause.requestId,
    });
  }

  return {
    visible: (callersTenant) =>
      all().filter((key) => isVisible(key, callersTenant)),
    get: visibleKey,
    create: (creation, cause) =>
      inTurn(async () => {
        const tenure = owner();
        const now = clock.now();
        const forgotten = roomFor(creation.tenantId, now);
        const made = newKey();
        const key = apiKey(made, creation, {
          by: cause.actor,
          at: now,
        });
        await write(tenure, key, { action: "created", cause, forgotten });
        return { key, token: made.token };
      }),
    revoke: (id, { callersTenant, cause }) =>
      inTurn(async () => {
        const tenure = owner();
        const now = clock.now();
        const key = visibleKey(id, callersTenant);
        if (key.revokedAt !== null) return key;
        const revoked = { ...key, revokedAt: now };
        const others = all().filter((other) => other.id !== id);
        const forgotten = forgettable(others, now, 0);
        await write(tenure, revoked, { action: "revoked", cause, forgotten });
        return revoked;
      }),
  };

  /** The records that must go for one more key of this tenant: first its own, so that no tenant pushes out what others have. */
  function roomFor(tenantId: string | null, now: EpochMs): ApiKey[] {
    const keys = all();
    const own = keys.filter((key) => key.tenantId === tenantId);
    if (tenantId !== null && activeOf(own, now) >= maxOfTenant)
      throw tooMany(maxOfTenant, tenantId);
    const ofOwn =
      tenantId === null
        ? []
        : forgettable(own, now, own.length + 1 - maxOfTenant);
    const gone = new Set(ofOwn);
    const rest = keys.filter((key) => !gone.has(key));
    const ofRest = forgettable(rest, now, rest.length + 1 - maxKeys);
    if (rest.length - ofRest.length >= maxKeys) throw tooMany(maxKeys);
    return [...ofOwn, ...ofRest];
  }
}

function activeOf(keys: readonly ApiKey[], now: EpochMs): number {
  return keys.filter((key) => endedAt(key, now) === null).length;
}

/** Ended keys whose records may go: those that ended longest ago, as many as room is needed for, and all that are kept no longer. */
function forgettable(
  keys: readonly ApiKey[],
  now: EpochMs,
  needed: number,
): ApiKey[] {
  return keys
    .flatMap((key) => {
      const at = endedAt(key, now);
      return at === null ? [] : [{ key, at }];
    })
    .sort((a, b) => a.at - b.at)
    .filter(({ at }, nth) => nth < needed || at + KEPT_MS <= now)
    .slice(0, MAX_FORGOTTEN)
    .map(({ key }) => key);
}

/** What the audit trail keeps of the key. */
function detailOf(
  key: ApiKey,
  action: "created" | "revoked",
): Record<string, unknown> {
  const { name, role } = key;
  if (action === "revoked") return { name, role };
  const { limitPerSecond, limitBurst, expiresAt } = viewOf(key, key.createdAt);
  return { name, role, limitPerSecond, limitBurst, expiresAt };
}

function tooMany(max: number, tenantId: string | null = null): ControlProblem {
  const whose = tenantId === null ? "" : ` of the tenant ${tenantId}`;
  return new ControlProblem(
    "conflict",
    `There are ${max} keys${whose} that are neither expired nor revoked, and there may be no more. Revoke one that is not needed: postrider keys list, then postrider keys revoke ID.`,
    {
      errors: [
        { field: "keys", rule: "max", message: `must be at most ${max}` },
      ],
    },
  );
}

function unknownKey(id: string): ControlProblem {
  return new ControlProblem("not_found", `There is no key ${id}.`, {
    errors: [{ field: "id", rule: "exists", message: "is not a key" }],
  });
}
