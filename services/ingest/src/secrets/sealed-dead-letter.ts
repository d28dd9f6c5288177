import type { DeadLetter } from "@postrider/core";
import { createDeadLetterOf, type DeadLetterOf } from "@postrider/messaging";
import type { Clock, KeyRing } from "@postrider/runtime";
import { sealRaw } from "./seal-raw.ts";

/** Makes dead letters, with a sealed raw value, for records that the runner itself gives up (a schema that never came, a record too large). */
export function createSealedDeadLetterOf(options: {
  readonly keyRing: KeyRing;
  readonly clock: Clock;
}): DeadLetterOf {
  const plain = createDeadLetterOf({ stage: "route", clock: options.clock });
  return (raw, reason, detail) => {
    const record = plain(raw, reason, detail);
    const value: DeadLetter = {
      ...(record.value as DeadLetter), // a DeadLetterOf makes a dead letter
      ...sealRaw(raw, options.keyRing),
    };
    return { topic: "dead-letters", key: record.key, value };
  };
}
