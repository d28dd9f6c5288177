/**
 * What must hold at the end of a run, whatever was killed during it. Pure: works on what was recorded and read back.
 * It assumes that the run is over, so that nothing is still due.
 */
import { isDeepStrictEqual } from "node:util";
import type { Attempt, RollUpTable } from "@postrider/core";
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

/** Returns all violations; an empty list when every invariant holds. Never throws. */
export function checkInvariants(evidence: Evidence): Violation[] {
  const replay = replayRunner(evidence.runner);
  const explained = explainedRepeats({ ...evidence, replay });
  const chains = Map.groupBy(evidence.attempts, ({ deliveryId }) => deliveryId);
  const parked = new Set(
    evidence.deadLetters.flatMap(({ reason, deliveryId }) =>
      reason === "paused" && deliveryId !== null ? [deliveryId] : [],
    ),
  );
  const unrecorded = moreRequestsThanAttempts(evidence);
  return [
    ...losses(evidence),
    ...requests(evidence, explained),
    ...[...chains].flatMap(([deliveryId, chain]) =>
      [
        ...chainViolations(chain, {
          explained: (step) => explained.get(`${deliveryId}#${step}`) ?? 0,
          wasParked: parked.has(deliveryId),
          lacksAttempts: unrecorded.has(chain[0]!.webhookId),
        }),
      ].map(({ invariant, detail }) =>
        violation(invariant, deliveryId, detail),
      ),
    ),
    ...commits(replay),
    ...tables(evidence),
    ...resources(evidence),
  ];
}

/** The webhook-ids of which the receiver got more requests than attempts were recorded. Whether faults explain these requests is judged on its own. */
function moreRequestsThanAttempts({
  received,
  attempts,
}: Evidence): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const add = (webhookId: string, count: number): void => {
    counts.set(webhookId, (counts.get(webhookId) ?? 0) + count);
  };
  for (const { webhookId } of received) add(webhookId, 1);
  for (const { webhookId, attemptNumber } of attempts)
    if (attemptNumber > 0) add(webhookId, -1);
  return new Set(
    [...counts].filter(([, left]) => left > 0).map(([webhookId]) => webhookId),
  );
}

/** Every acknowledged event must end delivered, dead-lettered or explained by its intake. */
function* losses(evidence: Evidence): Iterable<Violation> {
  const { published, attempts, deadLetters, intake } = evidence;
  const intakeOf = Map.groupBy(intake, keyOf);
  const ended = new Set<string | null>();
  for (const { reason, deliveryId } of deadLetters)
    // A parked delivery has not ended: its endpoint is resumed before the run is over.
    if (reason !== "paused") ended.add(deliveryId);
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

/** Compares requests with attempts: each request is known, carries the payload's bytes, and is repeated no more often than faults explain. */
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

/** Compares the runner's commits with what it had completed. */
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

/** Compares ClickHouse with the log, and requires that no group lags. */
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
  yield* rollUps(evidence);
  if (evidence.lag !== 0)
    yield violation("lag", "all groups", `${evidence.lag} records`);
}

/** `attempts` counts an attempt that was recorded twice once, and a roll-up counts it twice. By these, and by nothing else, a roll-up may differ. */
function* rollUps({ attempts, rollUps }: Evidence): Iterable<Violation> {
  const again = recordedAgain(attempts);
  for (const { day, table, verdict } of rollUps) {
    const expected = countsOf(
      again.filter(({ startedAt }) => dayOf(startedAt) === day),
      table,
    );
    const isShort = verdict.kind === "differs" && verdict.short.buckets > 0;
    const over = verdict.kind === "differs" ? verdict.over.by : {};
    if (
      verdict.kind === "notJudged" ||
      isShort ||
      !isDeepStrictEqual(over, expected)
    )
      yield violation(
        "roll_up",
        `${table} of ${day}`,
        `${JSON.stringify(verdict)}; recorded again: ${JSON.stringify(expected)}`,
      );
  }
}

/** The records of attempts whose row another record has already: an output that sent a batch again wrote them twice. */
function recordedAgain(attempts: readonly Attempt[]): readonly Attempt[] {
  const seen = new Set<string>();
  return attempts.filter((one) => {
    const { endpointId, startedAt, deliveryId, attemptNumber, step } = one;
    const key = JSON.stringify([
      endpointId,
      startedAt,
      deliveryId,
      attemptNumber,
      step,
    ]);
    const isAgain = seen.has(key);
    seen.add(key);
    return isAgain && attemptNumber > 0;
  });
}

/** By column of the roll-up; what is 0 is left out. */
function countsOf(
  attempts: readonly Attempt[],
  table: RollUpTable,
): Readonly<Record<string, number>> {
  const delivered = attempts.filter(({ outcome }) => outcome === "delivered");
  const counts = {
    attempts: attempts.length,
    delivered: delivered.length,
    expired: attempts.filter(({ status }) => status === "expired").length,
    ...(table === "endpoint_hour" && {
      delivered_first: delivered.filter(
        ({ attemptNumber }) => attemptNumber === 1,
      ).length,
      request_bytes: attempts.reduce(
        (sum, { requestBytes }) => sum + requestBytes,
        0,
      ),
    }),
  };
  return Object.fromEntries(
    Object.entries(counts).filter(([, count]) => count > 0),
  );
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

const HEAP_GROWTH = 1.1;
/** Memory that a process may gain while a case runs, because its windows of events and of taken steps fill up. They are bounded to a few MB per process. */
const WINDOWS_BYTES = 4 * 1024 * 1024;

/** A process that survived the fault must not hold more than before. */
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

/** An event's identity. A tenant's id contains no `:`, so the key is unambiguous. */
function keyOf(of: {
  readonly tenantId: string | null;
  readonly eventId: string | null;
}): string {
  return `${of.tenantId}:${of.eventId}`;
}
