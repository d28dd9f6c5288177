/** The dead letter of a record that could not become a row. */
import { rawValueAad } from "@postrider/core";
import { rawDeadLetter } from "@postrider/messaging";
import type { BatchRunnerOptions } from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";

type DeadLetterOfRefused = BatchRunnerOptions<unknown, unknown>["deadLetterOf"];

/**
 * The dead letter's time is the intent's, not the clock's: if it is written again after a crash, both have the same key in
 * `dead_letters`. Bytes that could not be read are sealed where there is a key ring, because they may contain anything, even an event
 * with its secret that was sent to the wrong topic.
 */
export function createRefusedDeadLetterOf(
  keyRing: KeyRing | null,
): DeadLetterOfRefused {
  return (raw, { reason, detail }, deadAt) => {
    const letter = rawDeadLetter(raw, {
      reason,
      detail,
      stage: "record",
      deadAt,
    });
    const { rawValue } = letter;
    const isReadable = reason === "row_refused";
    if (rawValue === null || isReadable || keyRing === null)
      return { topic: "dead-letters", key: raw.key, value: letter };
    const sealed = keyRing.seal(rawValue, rawValueAad(raw));
    return {
      topic: "dead-letters",
      key: raw.key,
      value: { ...letter, rawValue: sealed.ciphertext, rawKid: sealed.kid },
    };
  };
}
