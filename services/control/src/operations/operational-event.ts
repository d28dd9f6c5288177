/**
 * What Postrider tells about itself (docs/operational-events.md): signals, which control always writes, and events of one tenant where
 * the operator has named one, delivered like any others. Invariant: no event is about that tenant itself; a breaker that opens because
 * these events cannot be delivered would make another one, without end. Pure.
 */
import type { Endpoint, EpochMs, Replay, Signal } from "@postrider/core";
import type { OutRecord, RawRecord } from "@postrider/messaging";
import { rfc3339 } from "../http/rfc3339.ts";

export const OPERATIONAL_TYPES = [
  "postrider.endpoint.disabled",
  "postrider.breaker.opened",
  "postrider.breaker.closed",
  "postrider.dead_letters.growing",
  "postrider.replay.finished",
] as const;
export type OperationalType = (typeof OPERATIONAL_TYPES)[number];

export interface OperationalEvent {
  readonly type: OperationalType;
  /** With the type the event's id: the same for what is told twice, so that route takes it for a repeat. */
  readonly unique: string;
  readonly at: EpochMs;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The record of the event for the topic `events`. Its payload has the form that Standard Webhooks advises. */
export function eventRecord(
  tenantId: string,
  { type, unique, at, data }: OperationalEvent,
): OutRecord {
  const id = `${type}:${unique}`;
  const payload = JSON.stringify({ type, timestamp: rfc3339(at), data });
  return {
    topic: "events",
    key: `${tenantId}:${id}`,
    value: {
      id,
      type,
      tenantId,
      occurredAt: at,
      contentType: "application/json",
      payload: Buffer.from(payload),
      destination: null,
      notBefore: null,
      expiresAt: null,
      headers: {},
      traceparent: null,
      tracestate: null,
    },
  };
}

const TYPES: ReadonlyMap<string, OperationalType> = new Map([
  ["disabled", "postrider.endpoint.disabled"],
  ["breaker_opened", "postrider.breaker.opened"],
  ["breaker_closed", "postrider.breaker.closed"],
]);

/** Null where the operator is not told: of another kind of signal (a 410 is followed by `disabled`), or of the operator's own tenant. The signal's place makes the id: a signal that is handled twice is one event. */
export function ofSignal(
  signal: Signal,
  { raw, endpoint, operationsTenant }: SeenSignal,
): OperationalEvent | null {
  const type = TYPES.get(signal.kind);
  const { tenantId, endpointId, endpointVersion, detail, deliveryId } = signal;
  if (type === undefined || tenantId === operationsTenant) return null;
  return {
    type,
    unique: `${raw.partition}-${raw.offset}-${signal.at}`,
    at: signal.at,
    data: {
      tenantId,
      endpointId,
      externalId: endpoint?.externalId ?? null,
      endpointVersion,
      detail,
      ...(signal.kind === "disabled" ? {} : { deliveryId }),
    },
  };
}

export interface SeenSignal {
  readonly raw: Pick<RawRecord, "partition" | "offset">;
  /** As it is now; `undefined` of an inline destination, or one that is deleted. */
  readonly endpoint: Endpoint | undefined;
  readonly operationsTenant: string;
}

/** The record of a signal. One that is about no endpoint goes by its tenant. */
export function signalRecord(value: Signal): OutRecord & { key: string } {
  const { endpointId, tenantId } = value;
  return { topic: "signals", key: endpointId || tenantId, value };
}

/** The signal of a change that disables an endpoint, whoever made it; null of any other change. */
export function disabledSignal(
  before: Endpoint,
  after: Endpoint | null,
): Signal | null {
  if (after?.state !== "disabled" || before.state === "disabled") return null;
  const { id, tenantId, version, updatedAt, stateReason } = after;
  return {
    kind: "disabled",
    endpointId: id,
    tenantId,
    endpointVersion: version,
    at: updatedAt,
    detail: stateReason ?? "",
    deliveryId: null,
  };
}

/** Null of a replay of the operator's own tenant. */
export function ofReplay(
  replay: Replay,
  { operationsTenant, now }: { operationsTenant: string; now: EpochMs },
): OperationalEvent | null {
  const { id, tenantId, kind, total, sent, leftOut, createdAt } = replay;
  if (tenantId === operationsTenant) return null;
  return {
    type: "postrider.replay.finished",
    unique: id,
    at: now,
    data: {
      tenantId,
      replayId: id,
      kind,
      createdAt: rfc3339(createdAt),
      total,
      sent,
      leftOut,
    },
  };
}

/** The signal that a replay is done, which it is now. `visibleTo`: the tenant whose callers may see the replay. */
export function replaySignal(replay: Replay, visibleTo: string | null): Signal {
  const { id, kind, total, sent, leftOut, createdAt, finishedAt } = replay;
  return ofNoEndpoint({
    kind: "replay_finished",
    tenantId: visibleTo ?? "",
    at: finishedAt ?? createdAt,
    detail: `${id} (${kind}): ${sent} of ${total} sent${counted("; left out: ", leftOut)}`,
  });
}

/** The dead letters of one tenant in one hour. */
export interface DeadLetterCount {
  /** Empty where it is not known whose they are. */
  readonly tenantId: string;
  readonly since: EpochMs;
  readonly count: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export const COUNTED_MS = 3_600_000;

/** The same for what is counted again. */
export function tenantAndHour({ tenantId, since }: DeadLetterCount): string {
  return `${tenantId}:${rfc3339(since)}`;
}

/** Null of the operator's own tenant. */
export function ofDeadLetters(
  hour: DeadLetterCount,
  { threshold, operationsTenant, now }: SeenDeadLetters,
): OperationalEvent | null {
  const { tenantId, since, count, reasons } = hour;
  if (tenantId === operationsTenant) return null;
  return {
    type: "postrider.dead_letters.growing",
    unique: tenantAndHour(hour),
    at: now,
    data: {
      tenantId: tenantId === "" ? null : tenantId,
      since: rfc3339(since),
      until: rfc3339(since + COUNTED_MS),
      threshold,
      count,
      reasons,
    },
  };
}

export interface SeenDeadLetters {
  readonly threshold: number;
  readonly operationsTenant: string;
  readonly now: EpochMs;
}

/** `at` is within the hour that is counted, also where that is over: by it the next owner finds that the hour was told. */
export function deadLettersSignal(
  { tenantId, since, count, reasons }: DeadLetterCount,
  { threshold, now }: Pick<SeenDeadLetters, "threshold" | "now">,
): Signal {
  return ofNoEndpoint({
    kind: "dead_letters_growing",
    tenantId,
    // The clock of whoever gave them up may be ahead of ours.
    at: Math.max(since, Math.min(now, since + COUNTED_MS - 1)),
    detail: `${count} dead letters in the hour from ${rfc3339(since)}, told from ${threshold} on${counted("; ", reasons)}`,
  });
}

function ofNoEndpoint(
  signal: Pick<Signal, "kind" | "tenantId" | "at" | "detail">,
): Signal {
  return { ...signal, endpointId: "", endpointVersion: 0, deliveryId: null };
}

/** The most first: `; exhausted 120, expired 11`. Nothing where there is nothing to count. */
function counted(
  start: string,
  counts: Readonly<Record<string, number>>,
): string {
  const shown = Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`);
  return shown.length === 0 ? "" : start + shown.join(", ");
}
