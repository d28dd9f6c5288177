/**
 * The API keys as requests look them up. Invariant: it holds what its source has told last, and nothing of a key that the source
 * has removed, so a revocation counts for the next request.
 */
import type { ApiKey, ControlEntry, EpochMs, KeyLimit } from "@postrider/core";
import type { Caller, Role } from "./caller.ts";

/** What a request needs of a key, made once and not at each request. */
export interface KnownKey {
  readonly caller: Caller;
  readonly hash: Uint8Array;
  readonly limit: KeyLimit | null;
  readonly expiresAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
}

const ROLES: readonly string[] = [
  "admin",
  "publisher",
  "reader",
] satisfies Role[];

const HASH_BYTES = 32;

/**
 * How old what is known of the keys may be, ms: after a day without news a key that was revoked must not count any longer, and nobody can
 * tell which. Until then a fault of Kafka that is mended within a working day turns no publisher away.
 */
export const KEYS_MAX_AGE_MS = 24 * 3_600_000;

export class KnownKeys {
  readonly #keys = new Map<string, KnownKey>();
  /** Why a key that was made may be missing, as a sentence; null if none can be. */
  readonly behind: () => string | null;
  /** How old what is known of all of them may be, ms. */
  readonly ageMs: () => number;

  constructor(
    behind: () => string | null = () => null,
    ageMs: () => number = () => 0,
  ) {
    this.behind = behind;
    this.ageMs = ageMs;
  }

  get(id: string): KnownKey | undefined {
    return this.#keys.get(id);
  }

  /** `undefined`: the key is gone. */
  set(id: string, key: ApiKey | undefined): void {
    const known = key && knownKey(key);
    if (known === undefined) this.#keys.delete(id);
    else this.#keys.set(id, known);
  }
}

const ENTRY_START = "key:";

/** Key of the record in the topic `control` that holds an API key. */
export function keyEntry(id: string): string {
  return ENTRY_START + id;
}

/** The keys as a table of the topic `control` has them. Call it before the table is started. */
export function followKeys(table: {
  onChange(
    listener: (name: string, entry: ControlEntry | undefined) => void,
  ): unknown;
  behind(): string | null;
  ageMs(): number;
}): KnownKeys {
  const keys = new KnownKeys(
    () => table.behind(),
    () => table.ageMs(),
  );
  table.onChange((name, entry) => {
    if (name.startsWith(ENTRY_START))
      keys.set(name.slice(ENTRY_START.length), entry?.key ?? undefined);
  });
  return keys;
}

/** `undefined` for a key with a role, a hash or a tenant that control does not write: what it may do is not known, so it counts as none. */
function knownKey(key: ApiKey): KnownKey | undefined {
  const { id: keyId, tenantId, hash, limit, expiresAt, revokedAt } = key;
  const isFit =
    ROLES.includes(key.role) && hash.length === HASH_BYTES && tenantId !== "";
  if (!isFit) return undefined;
  const role = key.role as Role; // it is one of the three
  const caller: Caller = Object.freeze({ keyId, role, tenantId });
  return { caller, hash, limit, expiresAt, revokedAt };
}
