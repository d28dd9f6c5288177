/**
 * Gives records that wait long memory of their own. A record's bytes are a view of a window that it shares with its neighbours
 * in the log (kafkajs/patches/record-decoder). The neighbours of a slow endpoint's record are done long before it, and it would
 * keep the window of 8 KB alone: several times what is counted for it, in each of the 4,096 records that a partition may have open.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Lanes } from "../lanes/lanes.ts";
import type { RawRecord } from "../record.ts";
import type { Decoder } from "../stage.ts";
import type { OpenRecord } from "./open-record.ts";

/** After so long a wait a record counts as one that waits long, ms. Most records are done sooner, and are not copied. */
const LONG_WAIT_MS = 1_000;
/** At most so many records are copied at once: they are decoded again, about 5 µs each. */
const MOST = 1_000;

/** Copies the bytes of queued records that wait long and whose neighbours in the log are done. Call each second. */
export function ownBytes<In>(
  lanes: Pick<Lanes<OpenRecord<In>>, "all">,
  decode: Decoder<In>,
  now: MonotonicMs,
): void {
  let left = MOST;
  for (const lane of lanes.all())
    for (
      let entry = lane.oldest;
      entry !== null && left > 0;
      entry = entry.behind
    ) {
      if (now - entry.seenAt < LONG_WAIT_MS || !sharesInVain(entry)) continue;
      const raw = copyOf(entry);
      const decoded = decode(raw);
      // What it decoded to before was the same, and is kept if it does not decode now.
      entry.replace(
        raw,
        decoded.kind === "decoded" ? decoded.value : entry.value,
      );
      left--;
    }
}

/** Most of the memory that the record keeps is not its own, and neither neighbour needs it any more. */
function sharesInVain(entry: OpenRecord<unknown>): boolean {
  const { value, offset } = entry.raw;
  if (value === null || value.buffer.byteLength < 2 * entry.rawBytes)
    return false;
  const { tracker } = entry.partition;
  return !tracker.isOpen(offset - 1) && !tracker.isOpen(offset + 1);
}

/** All its bytes in one piece of memory, which it shares with nothing; `Buffer.from` would take it from a pool. */
function copyOf({ raw, rawBytes }: OpenRecord<unknown>): RawRecord {
  const memory = Buffer.allocUnsafeSlow(rawBytes);
  let at = 0;
  const copied = (bytes: Buffer): Buffer => {
    const from = at;
    at += bytes.copy(memory, at);
    return memory.subarray(from, at);
  };
  const { key, value } = raw;
  return {
    ...raw,
    key: key && copied(key),
    value: value && copied(value),
    headers: Object.fromEntries(
      Object.entries(raw.headers).map(([name, held]) => [
        name,
        Buffer.isBuffer(held) ? copied(held) : held.map(copied),
      ]),
    ),
  };
}
