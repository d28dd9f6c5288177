/** What becomes of a candidate: the delivery that is sent for it, or why there is none. */
import type { Delivery, Endpoint, Replay } from "@postrider/core";
import { FilterSubject, type KeptFilters } from "@postrider/filter";
import type { OutRecord, RawRecord } from "@postrider/messaging";
import { readLetter, type LetterReading } from "../letters/letter-reading.ts";
import {
  isInlineEndpoint,
  judged,
  lackOf,
  type Candidate,
} from "./candidate.ts";
import type { LetterLog } from "./letter-log.ts";
import type { Page, PastDeliveries } from "./past-deliveries.ts";
import { rebuiltDelivery } from "./rebuilt-delivery.ts";
import { redrivenDelivery } from "./redriven-delivery.ts";
import type { LeftOutReason } from "./replay.ts";

/** What becomes of a candidate. */
export type Fate =
  | {
      readonly kind: "send";
      readonly record: OutRecord;
      readonly source: RawRecord | undefined;
      readonly payloadBytes: number;
    }
  | { readonly kind: "sent" }
  | { readonly kind: "leave"; readonly reason: LeftOutReason };

export interface FateOptions extends LetterReading {
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly past: Pick<PastDeliveries, "event">;
  readonly letters: Pick<LetterLog, "read">;
  readonly filters: Pick<KeptFilters, "of">;
}

export interface FateContext {
  readonly replay: Replay;
  /** The page that the candidate is of. */
  readonly page: Page;
  readonly signal: AbortSignal;
}

/** Rejects while Kafka or ClickHouse does not answer. */
export async function fateOf(
  options: FateOptions,
  { replay, page, signal }: FateContext,
  candidate: Candidate,
): Promise<Fate> {
  const { id, selection } = replay;
  const verdict = judged(candidate, { id, statuses: selection.statuses });
  if (verdict.kind !== "send") return verdict;
  const endpoint = options.endpoints.get(candidate.endpointId);
  const isInline = isInlineEndpoint(candidate.endpointId);
  const lack = isInline ? null : lackOf(endpoint);
  if (lack !== null) return leave(lack);
  const found = await pastOf(options, { candidate, page, signal }, verdict);
  if (typeof found === "string") return leave(found);
  if (replay.kind === "backfill" && !isWanted(options, endpoint, found.past))
    return leave("filtered");
  const now = options.clock.now();
  if (found.past.expiresAt !== null && found.past.expiresAt <= now)
    return leave("expires_at_passed");
  const value = redrivenDelivery(found.past, {
    trigger: replay.kind === "backfill" ? "replay" : "redrive",
    replayId: id,
    endpointVersion: isInline ? 0 : (endpoint?.version ?? 0),
    now,
  });
  return {
    kind: "send",
    record: { topic: "deliveries", key: value.endpointId, value },
    source: found.source,
    payloadBytes: value.payload.byteLength,
  };
}

/** What the filter left out has no delivery, so a backfill would send it. What is sent again by a redrive has passed it. */
function isWanted(
  { filters }: Pick<FateOptions, "filters">,
  endpoint: Endpoint | undefined,
  past: Delivery,
): boolean {
  const filter = endpoint?.filter ?? null;
  if (filter === null) return true;
  const { eventId: id, eventType: type, tenantId, occurredAt } = past;
  const compiled = filters.of(filter);
  return (
    compiled.ok &&
    compiled.filter.judge(
      new FilterSubject({ id, type, tenantId, occurredAt }, past.payload),
    ).kind === "passed"
  );
}

interface Found {
  readonly past: Delivery;
  /** The record that it was read from; `undefined` if from ClickHouse. */
  readonly source: RawRecord | undefined;
}

/** A past delivery as its dead letter has it; without one, made again of the event as the table `events` has it. */
async function pastOf(
  options: FateOptions,
  of: Pick<FateContext, "page" | "signal"> & { readonly candidate: Candidate },
  { deliveryIds }: { readonly deliveryIds: readonly string[] },
): Promise<Found | LeftOutReason> {
  const { letters, log } = options;
  let isUnreadable = false;
  for (const deliveryId of deliveryIds) {
    const place = of.page.letters.get(deliveryId);
    const source = place && (await letters.read(place));
    if (!place || !source) continue;
    const read = await readLetter(options, source, of.signal);
    if (read.kind === "decoded") {
      const past = read.letter.delivery;
      if (past?.deliveryId === deliveryId) return { past, source };
    } else {
      isUnreadable = true;
      log.warn("replay.deadLetterUnreadable", {
        deliveryId,
        ...place,
        why: read.why,
      });
    }
  }
  const event = await options.past.event(of.candidate);
  const past = rebuiltDelivery(of.candidate, event);
  if (typeof past !== "string") return { past, source: undefined };
  return isUnreadable ? "unreadable" : past;
}

function leave(reason: LeftOutReason) {
  return { kind: "leave", reason } as const;
}
