import { type DeadLetter, rawValueAad } from "@postrider/core";
import { RAW_VALUE_LIMIT_BYTES, type RawRecord } from "@postrider/messaging";
import { type KeyRing, SEAL_BYTES } from "@postrider/runtime";

/**
 * Seals the raw value of a record that could not be read, because a secret may be anywhere in it. The value is cut before
 * it is sealed, so that the ciphertext fits into a dead letter: a ciphertext that is cut later cannot be opened.
 */
export function sealRaw(
  raw: RawRecord,
  keyRing: KeyRing,
): Pick<DeadLetter, "rawValue" | "rawKid"> {
  if (raw.value === null) return { rawValue: null, rawKid: null };
  const kept = raw.value.subarray(0, RAW_VALUE_LIMIT_BYTES - SEAL_BYTES);
  const { kid, ciphertext } = keyRing.seal(kept, rawValueAad(raw));
  return { rawValue: ciphertext, rawKid: kid };
}
