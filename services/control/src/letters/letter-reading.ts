/** Reads the dead letters of `dead-letters` one by one, for a resume or a replay. */
import type { DeadLetter } from "@postrider/core";
import type { Decoder, RawRecord } from "@postrider/messaging";
import { sleep, type Clock, type Log } from "@postrider/runtime";

const SCHEMA_RETRY_MS = 500;

export interface LetterReading {
  readonly decode: Decoder<DeadLetter>;
  /** How long a dead letter waits for its schema before it is passed over. */
  readonly unknownSchemaWaitMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How many dead letters a record stands for: that of an unreadable batch stands for all of the batch. */
export function recordsOf({ offset, unreadable }: RawRecord): number {
  return unreadable === undefined ? 1 : unreadable.lastOffset - offset + 1;
}

/** The dead letter; null, logged, for one that cannot be read. One whose schema is unknown is waited for. */
export async function decoded(
  options: LetterReading,
  raw: RawRecord,
  signal: AbortSignal,
): Promise<DeadLetter | null> {
  const read = await readLetter(options, raw, signal);
  return read.kind === "decoded"
    ? read.letter
    : passedOver(options, raw, read.why);
}

export type ReadLetter =
  | { readonly kind: "decoded"; readonly letter: DeadLetter }
  | { readonly kind: "unreadable"; readonly why: string };

/** As `decoded`, and logs nothing. */
export async function readLetter(
  options: Omit<LetterReading, "log">,
  raw: RawRecord,
  signal: AbortSignal,
): Promise<ReadLetter> {
  const { decode, clock, unknownSchemaWaitMs } = options;
  if (raw.unreadable !== undefined)
    return { kind: "unreadable", why: raw.unreadable.detail };
  const since = clock.monotonic();
  for (;;) {
    const result = decode(raw);
    if (result.kind === "decoded")
      return { kind: "decoded", letter: result.value };
    if (result.kind === "unreadable")
      return { kind: "unreadable", why: result.detail };
    const isOver = clock.monotonic() - since >= unknownSchemaWaitMs;
    if (isOver && result.isSourceBehind !== true)
      return { kind: "unreadable", why: `unknown schema ${result.schema}` };
    await sleep(SCHEMA_RETRY_MS, { signal });
    signal.throwIfAborted();
  }
}

function passedOver(
  { log }: LetterReading,
  { topic, partition, offset }: RawRecord,
  why: string,
): null {
  log.error("resume.deadLetterUnreadable", {
    topic,
    partition,
    offset,
    why,
    action:
      "The resume goes on without it, and nothing sends it later. It stays at this offset for the topic's retention: see which event it holds, and publish that again if the endpoint needs it.",
  });
  return null;
}
