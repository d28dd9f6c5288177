/**
 * What must hold at the end of a run, whatever was killed in it: pure, over what was written down and read back.
 * It assumes that the run is over: everything due has been waited for.
 */
import type { Attempt, DeadLetter, Intake } from "@postrider/core";
import type { PublishedEntry, ReceivedEntry } from "./ledger.ts";

export const INVARIANTS = [
  "lost",
  "unknown_request",
  "unseen_delivery",
  "repeats",
  "fork",
  "numbering",
  "early",
  "bytes",
  "rows",
  "roll_up",
  "lag",
] as const;
export type Invariant = (typeof INVARIANTS)[number];

export interface Violation {
  readonly invariant: Invariant;
  readonly subject: string;
  readonly detail: string;
}

export interface Evidence {
  readonly published: readonly PublishedEntry[];
  readonly received: readonly ReceivedEntry[];
  /** Every record of the topic `attempts`. */
  readonly attempts: readonly Attempt[];
  readonly deadLetters: readonly DeadLetter[];
  readonly intake: readonly Intake[];
  readonly clickhouse: {
    readonly attemptRows: number;
    /** Different (log_partition, log_offset). */
    readonly attemptPlaces: number;
    /** The sum of `attempts` over the hourly roll-up. */
    readonly rolledUpAttempts: number;
  };
  /** Over all groups. */
  readonly lag: number;
  /** Requests that the run's faults may have repeated: in flight, and completed but in no acknowledged commit. */
  readonly repeatsAllowed: number;
}

/** All violations; none where every invariant holds. Never throws. */
export function checkInvariants(evidence: Evidence): Violation[] {
  const chains = Map.groupBy(
    evidence.attempts.filter((attempt) => attempt.attemptNumber > 0),
    (attempt) => attempt.deliveryId,
  );
  return [
    ...losses(evidence),
    ...requests(evidence),
    ...[...chains].flatMap(([deliveryId, chain]) => [
      ...forks(deliveryId, chain),
      ...numbering(deliveryId, chain),
      ...early(deliveryId, chain),
    ]),
    ...counts(evidence),
  ];
}

/** Every acknowledged event ends delivered, dead-lettered or explained. */
function* losses(evidence: Evidence): Iterable<Violation> {
  const { published, attempts, deadLetters, intake } = evidence;
  const intakeOf = Map.groupBy(intake, keyOf);
  const ended = new Set<string | null>(
    deadLetters.map(({ deliveryId }) => deliveryId),
  );
  for (const { outcome, deliveryId } of attempts)
    if (outcome === "delivered") ended.add(deliveryId);
  const deadEvents = new Set(deadLetters.map(keyOf));

  for (const event of published) {
    const key = keyOf(event);
    const decided = intakeOf.get(key) ?? [];
    if (decided.length === 0 && !deadEvents.has(key))
      yield violation("lost", key, "neither in intake nor in dead-letters");
    const routed = decided.filter(({ decision }) => decision === "routed");
    const parts = new Set(routed.map(({ part }) => part));
    if (routed[0] !== undefined && parts.size !== routed[0].parts)
      yield violation(
        "lost",
        key,
        `${parts.size} of ${routed[0].parts} parts of its intake`,
      );
    const made = new Set(
      routed.flatMap(({ deliveries }) =>
        deliveries.map(({ deliveryId }) => deliveryId),
      ),
    );
    for (const deliveryId of made)
      if (!ended.has(deliveryId))
        yield violation(
          "lost",
          deliveryId,
          `of ${key}: neither delivered nor dead-lettered`,
        );
  }
}

/** Requests against attempts: known, of the payload's bytes, and repeated no more often than the faults explain. */
function* requests(evidence: Evidence): Iterable<Violation> {
  const { published, received, attempts, repeatsAllowed } = evidence;
  const hashOf = new Map(
    published.map((event) => [keyOf(event), event.bodyHash]),
  );
  const made = attempts.filter(({ attemptNumber }) => attemptNumber > 0);
  const madeOf = Map.groupBy(made, ({ webhookId }) => webhookId);
  const receivedOf = Map.groupBy(received, ({ webhookId }) => webhookId);
  let repeats = 0;
  for (const [webhookId, seen] of receivedOf) {
    const tried = madeOf.get(webhookId);
    if (tried?.[0] === undefined) {
      yield violation("unknown_request", webhookId, "no attempt says it");
      continue;
    }
    const distinct = new Set(
      tried.map(
        ({ deliveryId, attemptNumber }) => `${deliveryId}#${attemptNumber}`,
      ),
    );
    repeats += Math.max(0, seen.length - distinct.size);
    const hash = hashOf.get(keyOf(tried[0]));
    if (seen.some((request) => request.bodyHash !== hash))
      yield violation("bytes", webhookId, "a body differs from the payload");
  }
  for (const [webhookId, tried] of madeOf)
    if (
      tried.some(({ outcome }) => outcome === "delivered") &&
      !receivedOf.has(webhookId)
    )
      yield violation("unseen_delivery", webhookId, "no receiver saw it");
  if (repeats > repeatsAllowed)
    yield violation(
      "repeats",
      "all requests",
      `${repeats} repeated, ${repeatsAllowed} explained`,
    );
}

/**
 * Two retry chains of one delivery. A kill repeats one step; a second chain makes every later step twice as well, or makes an
 * attempt at another step. Two kills that happen to repeat neighbouring steps of one delivery look the same.
 */
function* forks(
  deliveryId: string,
  chain: readonly Attempt[],
): Iterable<Violation> {
  for (const [number, same] of Map.groupBy(
    chain,
    ({ attemptNumber }) => attemptNumber,
  )) {
    const steps = new Set(same.map(({ step }) => step));
    if (steps.size > 1)
      yield violation(
        "fork",
        deliveryId,
        `attempt ${number} at the steps ${[...steps].join(", ")}`,
      );
  }
  const bySteps = Map.groupBy(chain, ({ step }) => step);
  const ordered = [...bySteps].sort(([a], [b]) => a - b);
  for (const [i, [step, same]] of ordered.entries()) {
    const [nextStep, next] = ordered[i + 1] ?? [step, []];
    if (same.length > 1 && next.length > 1)
      yield violation(
        "fork",
        deliveryId,
        `the steps ${step} and ${nextStep} were both made more than once`,
      );
  }
}

/** Numbers count from 1 without a gap, and steps grow with them. */
function* numbering(
  deliveryId: string,
  chain: readonly Attempt[],
): Iterable<Violation> {
  const stepOf = new Map<number, number>();
  for (const { attemptNumber, step } of chain)
    stepOf.set(
      attemptNumber,
      Math.min(step, stepOf.get(attemptNumber) ?? step),
    );
  const ordered = [...stepOf].sort(([a], [b]) => a - b);
  for (const [i, [number, step]] of ordered.entries()) {
    if (number !== i + 1)
      yield violation(
        "numbering",
        deliveryId,
        `attempt ${i + 1} is missing before attempt ${number}`,
      );
    const before = ordered[i - 1]?.[1];
    if (before !== undefined && step <= before)
      yield violation(
        "numbering",
        deliveryId,
        `attempt ${number} at step ${step}, after step ${before}`,
      );
  }
}

/** A retry starts no sooner than the earliest time that the attempt before it, or a repeat of it, gave. */
function* early(
  deliveryId: string,
  chain: readonly Attempt[],
): Iterable<Violation> {
  const dueOf = new Map<number, number>();
  for (const { attemptNumber, nextAttemptAt } of chain) {
    if (nextAttemptAt === null) continue;
    const due = dueOf.get(attemptNumber + 1) ?? Infinity;
    dueOf.set(attemptNumber + 1, Math.min(due, nextAttemptAt));
  }
  for (const { attemptNumber, startedAt } of chain) {
    const due = dueOf.get(attemptNumber);
    if (due !== undefined && startedAt < due)
      yield violation(
        "early",
        deliveryId,
        `attempt ${attemptNumber} started ${due - startedAt} ms before it was due`,
      );
  }
}

/** ClickHouse against the log, and the lag. */
function* counts(evidence: Evidence): Iterable<Violation> {
  const { attempts, clickhouse, lag } = evidence;
  const { attemptRows, attemptPlaces, rolledUpAttempts } = clickhouse;
  if (attemptRows !== attempts.length || attemptPlaces !== attempts.length)
    yield violation(
      "rows",
      "attempts",
      `${attempts.length} records, ${attemptRows} rows of ${attemptPlaces} places`,
    );
  const counted = attempts.filter(({ attemptNumber }) => attemptNumber > 0);
  if (rolledUpAttempts !== counted.length)
    yield violation(
      "roll_up",
      "endpoint_hour",
      `${counted.length} attempts, ${rolledUpAttempts} rolled up`,
    );
  if (lag !== 0) yield violation("lag", "all groups", `${lag} records`);
}

function violation(
  invariant: Invariant,
  subject: string,
  detail: string,
): Violation {
  return { invariant, subject, detail };
}

/** An event's identity; only ids of tenants have no `:`, so it is unambiguous. */
function keyOf(of: {
  readonly tenantId: string | null;
  readonly eventId: string | null;
}): string {
  return `${of.tenantId}:${of.eventId}`;
}
