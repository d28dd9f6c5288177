/**
 * A replay and what becomes of it. Pure.
 *
 *   ──made──▶ running ──▶ done
 *              │   ▲
 *              ▼   │
 *             paused        both ──cancelled by hand──▶ cancelled
 *
 * Invariant: `place` only goes up. Every event and endpoint up to it that the selection holds was sent, or left out and counted.
 */
import {
  matchesType,
  type EpochMs,
  type Replay,
  type ReplayPlace,
} from "@postrider/core";

/** Why a selected delivery was not sent. */
export const LEFT_OUT_REASONS = [
  /** Another delivery of the event to the endpoint was delivered since. */
  "delivered",
  /** Another delivery of it waits for an attempt. */
  "under_way",
  /** Another delivery of it is parked: a resume sends it. */
  "parked",
  /** Of a backfill: the endpoint's filter is not true of the event. */
  "filtered",
  "endpoint_deleted",
  "endpoint_disabled",
  /** The publisher's `expiresAt` is over. */
  "expires_at_passed",
  /** Neither dead-letters nor the table `events` has its payload. */
  "payload_gone",
  /** Its dead letter cannot be decoded. */
  "unreadable",
  /** Only the table `events` has it, without the values of its secret headers. */
  "headers_redacted",
] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

/** Not lacked: it was delivered, will be without us, or is not wanted. */
const NOT_LACKED: readonly LeftOutReason[] = [
  "delivered",
  "under_way",
  "parked",
  "filtered",
];

/** Whether the receiver may lack what was left out. */
export function isLacking(reason: LeftOutReason): boolean {
  return !NOT_LACKED.includes(reason);
}

/** What a run has done since its last checkpoint. */
export interface Progress {
  readonly place: ReplayPlace;
  readonly sent: number;
  readonly leftOut: ReadonlyMap<LeftOutReason, number>;
}

/** `stored` with the progress. It may have been paused or cancelled meanwhile: what was sent was sent. */
export function advanced(stored: Replay, progress: Progress): Replay {
  const leftOut: Record<string, number> = { ...stored.leftOut };
  for (const [reason, count] of progress.leftOut)
    leftOut[reason] = (leftOut[reason] ?? 0) + count;
  return {
    ...stored,
    detail: stored.state === "running" ? "" : stored.detail,
    place: progress.place,
    sent: stored.sent + progress.sent,
    leftOut,
  };
}

/** A replay that is paused goes on, too: it is not final. */
export function isFinal({ state }: Pick<Replay, "state">): boolean {
  return state === "done" || state === "cancelled";
}

/** The tenant whose callers see it; null: none. An operator's SQL may name other tenants, and what is theirs. */
export function visibleTo({ tenantId, selection }: Replay): string | null {
  return selection.sql === null ? tenantId : null;
}

/** What may be done by hand, and what it makes of the replay; null where the replay is in no state for it. Twice is the same as once. */
export function steered(
  stored: Replay,
  action: "pause" | "resume" | "cancel",
  now: EpochMs,
): Replay | null {
  const target = { pause: "paused", resume: "running", cancel: "cancelled" }[
    action
  ];
  if (stored.state === target) return stored;
  if (isFinal(stored)) return null;
  return {
    ...stored,
    state: target,
    detail: target === "running" ? "" : "by hand",
    finishedAt: target === "cancelled" ? now : null,
  };
}

/** Those that a replay waits for: made earlier, not final, and they may select the same events and endpoints. */
export function waitsFor(replay: Replay, all: Iterable<Replay>): Replay[] {
  return [...all].filter(
    (other) =>
      !isFinal(other) && isEarlier(other, replay) && mayOverlap(other, replay),
  );
}

/** An order that all replicas agree on, so that two replays never wait for each other. */
function isEarlier(one: Replay, other: Replay): boolean {
  return one.createdAt === other.createdAt
    ? one.id < other.id
    : one.createdAt < other.createdAt;
}

/**
 * Whether the two may send the same event to the same endpoint. Only conditions on the event and the endpoint keep them apart:
 * one may select a delivery and the other a later delivery of the same event.
 */
export function mayOverlap(one: Replay, other: Replay): boolean {
  const a = one.selection;
  const b = other.selection;
  return (
    mayBeEqual(one.tenantId, other.tenantId) &&
    mayBeEqual(a.endpointId, b.endpointId) &&
    mayMeet(a.eventTypes, b.eventTypes) &&
    (a.receivedSince ?? -Infinity) < (b.receivedUntil ?? Infinity) &&
    (b.receivedSince ?? -Infinity) < (a.receivedUntil ?? Infinity)
  );
}

/** Whether a type may match a pattern of both lists. */
function mayMeet(a: readonly string[], b: readonly string[]): boolean {
  const meet = (one: string, other: string): boolean =>
    matchesType(one, other) || matchesType(other, one);
  return (
    a.length === 0 ||
    b.length === 0 ||
    a.some((one) => b.some((other) => meet(one, other)))
  );
}

function mayBeEqual(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b;
}
