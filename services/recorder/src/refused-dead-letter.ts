/** The dead letter of a record that made no row. */
import { rawValueAad } from "@postrider/core";
import { rawDeadLetter } from "@postrider/messaging";
import type { BatchRunnerOptions } from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";
import type { Row } from "./columns.ts";

type DeadLetterOfRefused = BatchRunnerOptions<unknown, Row>["deadLetterOf"];

/**
 * Dead at the intent's time, not at the clock's: a dead letter repeated after a crash then has its twin's key in `dead_letters`. What
 * could not be read is kept sealed where there is a key ring: it may be anything, an event with its secret on the wrong topic included.
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
