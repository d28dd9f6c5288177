/**
 * The key ring as its file is now, so that keys are added, put first and taken out without a restart. Invariant: the ring is always the
 * last one that could be read whole, and an id never stands for two keys while the process runs.
 */
import type { Clock, Log, Meter } from "./effects.ts";
import {
  createKeyRing,
  KeyRingError,
  type EncryptionKey,
  type KeyRing,
} from "./key-ring.ts";
import { lastGood } from "./last-good.ts";

/** How old the ring may be when it is used, ms. Reading the file for each secret would cost more than the cipher. */
const LOOK_EVERY_MS = 1_000;

/** `read` gives the keys as they are now, newest first, and throws if they cannot be read. The file is looked at when the ring is used and when the metrics are read. Throws if the keys cannot be read at all. */
export function createLiveKeyRing(
  read: () => readonly EncryptionKey[],
  effects: {
    readonly clock: Pick<Clock, "monotonic">;
    readonly log: Pick<Log, "info" | "warn">;
    readonly meter: Pick<Meter, "counter" | "gauge">;
  },
): KeyRing {
  const { clock, log, meter } = effects;
  /** The bytes of each key that has ever been in the ring. */
  const known = new Map<string, Buffer>();
  let isStale = false;
  const current = lastGood(
    () => {
      isStale = true;
      const keys = read();
      requireSameBytes(keys, known);
      isStale = false;
      return keys;
    },
    {
      event: "encryptionKeys.notReadAgain",
      variable: "POSTRIDER_ENCRYPTION_KEYS_FILE",
      log,
    },
  );
  let keys = current();
  let ring = createKeyRing(keys);
  let lookedAt = clock.monotonic();
  remember(keys, known);

  function fresh(): KeyRing {
    const now = clock.monotonic();
    if (now - lookedAt < LOOK_EVERY_MS) return ring;
    lookedAt = now;
    const found = current();
    if (isSame(found, keys)) return ring;
    const before = ring.kids();
    keys = found;
    ring = createKeyRing(found);
    remember(found, known);
    tell(log, before, ring.kids());
    return ring;
  }

  meter.gauge(
    "postrider_encryption_key_position",
    "Place of an encryption key in this process's ring: the first, 1, seals; all of them open. 0: it was taken out while the process ran.",
    ["key"],
    (gauge) => {
      const kids = fresh().kids();
      for (const kid of known.keys())
        gauge.set(kids.indexOf(kid) + 1, { key: kid });
    },
  );
  meter.gauge(
    "postrider_encryption_keys_stale",
    "1 while the file of the encryption keys cannot be used, and what was read before is; the log says why (`encryptionKeys.notReadAgain`).",
    [],
    (gauge) => {
      fresh();
      gauge.set(isStale ? 1 : 0);
    },
  );
  const opened = meter.counter(
    "postrider_secrets_opened_total",
    "Secrets and header values that were opened, by the encryption key that had sealed them. The dispatcher opens an endpoint's once and keeps them in memory.",
    ["key"],
  );
  return {
    kids: () => fresh().kids(),
    seal: (plain, aad) => fresh().seal(plain, aad),
    open(sealed, aad) {
      const plain = fresh().open(sealed, aad);
      opened.inc({ key: sealed.kid });
      return plain;
    },
  };
}

/** With another key under an old id, what the old one sealed would never open again, and would look like changed bytes. */
function requireSameBytes(
  keys: readonly EncryptionKey[],
  known: ReadonlyMap<string, Buffer>,
): void {
  for (const { kid, key } of keys)
    if (known.get(kid)?.equals(key) === false)
      throw new KeyRingError(
        "BAD_KEYS",
        `key ${kid} has other bytes than before; give the new key an id of its own`,
      );
}

function remember(
  keys: readonly EncryptionKey[],
  known: Map<string, Buffer>,
): void {
  for (const { kid, key } of keys) known.set(kid, key);
}

/** Ids stand for their bytes, so they alone are compared. */
function isSame(
  one: readonly EncryptionKey[],
  other: readonly EncryptionKey[],
): boolean {
  if (one === other) return true;
  return (
    one.length === other.length &&
    one.every(({ kid }, at) => kid === other[at]?.kid)
  );
}

function tell(
  log: Pick<Log, "info" | "warn">,
  before: readonly string[],
  kids: readonly string[],
): void {
  const removed = before.filter((kid) => !kids.includes(kid));
  const fields = {
    newest: kids[0],
    kids,
    added: kids.filter((kid) => !before.includes(kid)),
    removed,
  };
  if (removed.length === 0) log.info("encryptionKeys.changed", fields);
  else
    log.warn("encryptionKeys.changed", {
      ...fields,
      what: "What a removed key has sealed does not open here any more. Give the key back if something is still sealed with it: npx postrider secrets status",
    });
}
