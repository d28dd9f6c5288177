/**
 * What must hold at the end of a run, whatever was killed in it: pure, over what was written down and read back.
 * It assumes that the run is over: everything due has been waited for.
 */
import { chainViolations } from "./chain-rules.ts";
import type { Evidence } from "./evidence.ts";
import {
  explainedRepeats,
  replayRunner,
  type RunnerReplay,
} from "./runner-replay.ts";

export const INVARIANTS = [
  "lost",
  "unknown_request",
  "unseen_delivery",
  "repeats",
  "fork",
  "numbering",
  "early",
  "bytes",
  "passed_work",
  "ignored_commit",
  "rows",
  "roll_up",
  "lag",
  "resources",
] as const;
export type Invariant = (typeof INVARIANTS)[number];

export interface Violation {
  readonly invariant: Invariant;
  readonly subject: string;
  readonly detail: string;
}

/** All violations; none where every invariant holds. Never throws. */
export function checkInvariants(evidence: Evidence): Violation[] {
  const replay = replayRunner(evidence.runner);
  const explained = explainedRepeats({ ...evidence, replay });
  const chains = Map.groupBy(evidence.attempts, ({ deliveryId }) => deliveryId);
  return [
    ...losses(evidence),
    ...requests(evidence, explained),
    ...[...chains].flatMap(([deliveryId, chain]) =>
      [
        ...chainViolations(
          chain,
          (step) => explained.get(`${deliveryId}#${step}`) ?? 0,
        ),
      ].map(({ invariant, detail }) =>
        violation(invariant, deliveryId, detail),
      ),
    ),
    ...commits(replay),
    ...tables(evidence),
    ...resources(evidence),
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
function* requests(
  evidence: Evidence,
  explained: ReadonlyMap<string, number>,
): Iterable<Violation> {
  const { published, received, attempts, deliveries } = evidence;
  const hashOf = new Map(
    published.map((event) => [keyOf(event), event.bodyHash]),
  );
  const made = attempts.filter(({ attemptNumber }) => attemptNumber > 0);
  const madeOf = Map.groupBy(made, ({ webhookId }) => webhookId);
  const receivedOf = Map.groupBy(received, ({ webhookId }) => webhookId);
  const stepsOf = Map.groupBy(deliveries, ({ webhookId }) => webhookId);
  for (const [webhookId, seen] of receivedOf) {
    const tried = madeOf.get(webhookId);
    if (tried?.[0] === undefined) {
      yield violation("unknown_request", webhookId, "no attempt says it");
      continue;
    }
    const distinct = new Set(
      tried.map(({ deliveryId, step }) => `${deliveryId}#${step}`),
    );
    const steps = new Set(
      stepsOf
        .get(webhookId)
        ?.map(({ deliveryId, step }) => `${deliveryId}#${step}`),
    );
    let allowed = distinct.size;
    for (const step of steps) allowed += explained.get(step) ?? 0;
    if (seen.length > allowed)
      yield violation(
        "repeats",
        webhookId,
        `${seen.length} requests, ${allowed} explained`,
      );
    const hash = hashOf.get(keyOf(tried[0]));
    if (seen.some((request) => request.bodyHash !== hash))
      yield violation("bytes", webhookId, "a body differs from the payload");
    else if (seen.some(({ isSigned }) => !isSigned))
      yield violation("bytes", webhookId, "a signature does not fit the body");
  }
  for (const [webhookId, tried] of madeOf)
    if (
      tried.some(({ outcome }) => outcome === "delivered") &&
      !receivedOf.has(webhookId)
    )
      yield violation("unseen_delivery", webhookId, "no receiver saw it");
}

/** What the runner said to the group against what it had done. */
function* commits({ passed, ignored }: RunnerReplay): Iterable<Violation> {
  for (const place of passed)
    yield violation(
      "passed_work",
      place,
      "a commit called it done before it was",
    );
  for (const place of ignored)
    yield violation(
      "ignored_commit",
      place,
      "done again although an acknowledged commit said it was done",
    );
}

/** ClickHouse against the log, and the lag. */
function* tables(evidence: Evidence): Iterable<Violation> {
  for (const of of evidence.tables) {
    const isExact =
      of.rows === of.rowPlaces &&
      of.rowKeys === of.recordKeys &&
      of.rows <= of.records;
    if (!isExact)
      yield violation(
        "rows",
        of.table,
        `${of.records} records of ${of.recordKeys} keys; ${of.rows} rows of ${of.rowPlaces} places and ${of.rowKeys} keys; without a row: ${of.missing?.join(" ") ?? "?"}`,
      );
  }
  const counted = evidence.attempts.filter(
    ({ attemptNumber }) => attemptNumber > 0,
  ).length;
  for (const [table, attempts] of Object.entries(evidence.rolledUp))
    if (attempts !== counted)
      yield violation(
        "roll_up",
        table,
        `${counted} attempts, ${attempts} rolled up`,
      );
  if (evidence.lag !== 0)
    yield violation("lag", "all groups", `${evidence.lag} records`);
}

const HEAP_GROWTH = 1.1;
/** What the windows of events and steps that were taken, bounded and a few MB a process, fill up to while a case runs. */
const WINDOWS_BYTES = 4 * 1024 * 1024;

/** A process that lived through the fault holds no more than before. */
function* resources({ survivors }: Evidence): Iterable<Violation> {
  for (const { name, before, after, spareConnections = 0 } of survivors) {
    const grown = [
      after.heapBytes >
      Math.max(before.heapBytes * HEAP_GROWTH, before.heapBytes + WINDOWS_BYTES)
        ? "heap"
        : null,
      after.sockets > before.sockets + spareConnections ? "sockets" : null,
      after.timers > before.timers + spareConnections ? "timers" : null,
    ].filter((what) => what !== null);
    if (grown.length > 0)
      yield violation(
        "resources",
        name,
        `${grown.join(", ")} grew: ${JSON.stringify(before)} before, ${JSON.stringify(after)} after`,
      );
  }
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
