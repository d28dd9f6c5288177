import { type DeadLetter, rawValueAad } from "@postrider/core";
import {
  type Clock,
  createDeadLetterOf,
  type DeadLetterOf,
} from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";

/** For records that the runner gives up itself (a schema that never came, a record too large): the raw value is sealed, because it may hold a secret. */
export function createSealedDeadLetterOf(options: {
  readonly keyRing: KeyRing;
  readonly clock: Clock;
}): DeadLetterOf {
  const plain = createDeadLetterOf({ stage: "route", clock: options.clock });
  return (raw, reason, detail) => {
    const record = plain(raw, reason, detail);
    const letter = record.value as DeadLetter; // a DeadLetterOf makes a dead letter
    if (letter.rawValue === null) return record;
    const sealed = options.keyRing.seal(letter.rawValue, rawValueAad(raw));
    const value: DeadLetter = {
      ...letter,
      rawValue: sealed.ciphertext,
      rawKid: sealed.kid,
    };
    return { topic: "dead-letters", key: record.key, value };
  };
}
