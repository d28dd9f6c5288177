/**
 * Two days of three tenants, as route and deliver would record them: the same records each time, but for the day on which they
 * begin. What became of each delivery is known here, without the tables.
 */
import type {
  Attempt,
  AuditEntry,
  DeadLetter,
  DeadLetterReason,
  Intake,
} from "@postrider/core";
import {
  aDeadLetter,
  anAttempt,
  anIntake,
  seededRandom,
  type Random,
} from "@postrider/testkit";
import { auditRecords } from "./audit-records.ts";
import {
  ENDPOINTS,
  HOUR,
  tenantOf,
  type Receiver,
  type Wait,
} from "./receivers.ts";

/** How a delivery stands at the end. */
export interface Standing {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly receivedAt: number;
  status: "pending" | "failed" | "delivered" | "expired";
  attempts: number;
  outcome: string;
  statusCode: number | null;
  /** When it was delivered. */
  changedAt: number;
  /** Why and until when it waits, also where `deadLetterReason` still says that it is parked; null where nothing says. */
  waitsFor: string;
  dueAt: number | null;
  /** In which it waits; empty where in none. */
  tier: string;
  deadLetterReason: DeadLetterReason | "";
}

export interface DataSet {
  readonly from: number;
  /** After the last record. */
  readonly until: number;
  readonly intakes: readonly Intake[];
  readonly attempts: readonly Attempt[];
  readonly deadLetters: readonly DeadLetter[];
  readonly deliveries: readonly Standing[];
  readonly audit: readonly AuditEntry[];
}

const EVENTS = 700;
const LASTS = 46 * HOUR;
/** The number of the event that is sent once more on the second day, as another type. */
const LAST_OF_THE_FIRST_DAY = 373;
const TIERS = [
  ["1s", 1_000],
  ["10s", 10_000],
  ["1m", 60_000],
  ["10m", 600_000],
  ["1h", HOUR],
] as const;
const WAITS_MS = TIERS.map(([, ms]) => ms);
const TYPES = [
  "order.paid",
  "invoice.sent",
  "user.deleted",
  "report.ready",
] as const;
const TENANTS = ["acme", "globex", "initech"] as const;
const SIZES = [180, 900, 3_000, 40_000, 300_000] as const;

/** `from` is the start of a day. */
export function dataSetFrom(from: number): DataSet {
  const random = seededRandom(7, "cookbook");
  const made: Made = {
    from,
    until: from + LASTS,
    intakes: [],
    attempts: [],
    deadLetters: [],
    deliveries: [],
    audit: auditRecords(from),
  };
  for (let n = 0; n < EVENTS; n += 1) {
    const tenantId = random.pick(TENANTS);
    const receivedAt =
      from + Math.floor((n * (LASTS - HOUR)) / EVENTS) + random.between(0, 900);
    const event = anIntake({
      tenantId,
      eventId: `evt_${String(n).padStart(4, "0")}`,
      eventType: random.pick(TYPES),
      receivedAt,
      decidedAt: receivedAt + random.between(2, 40),
      payloadBytes: random.pick(SIZES) + random.between(0, 80),
      payload: Buffer.from(`{"n":${n}}`),
      sourcePartition: n % 3,
      sourceOffset: n,
      deliveries: [],
    });
    publish(event, made, random);
  }
  return made;
}

interface Made extends DataSet {
  readonly intakes: Intake[];
  readonly attempts: Attempt[];
  readonly deadLetters: DeadLetter[];
  readonly deliveries: Standing[];
}

function publish(event: Intake, made: Made, random: Random): void {
  const chance = random.next();
  if (chance < 0.03)
    return void made.intakes.push({ ...event, ...invalidBy(random) });
  const wanting = ENDPOINTS.filter(
    ({ tenantId, types }) =>
      tenantId === event.tenantId && types.includes(event.eventType ?? ""),
  );
  const at = event.decidedAt - made.from;
  const disabled = wanting.filter(
    ({ goneAt = Infinity }) => at > goneAt + HOUR,
  );
  const sent = wanting.filter((each) => !disabled.includes(each));
  const deliveries = sent.map(({ id }) => ({
    deliveryId: `dlv_${event.eventId}_${id}`,
    endpointId: id,
  }));
  const decided: Intake = {
    ...event,
    decision: sent.length > 0 ? "routed" : "no_match",
    disabledEndpointIds: disabled.map(({ id }) => id),
    noMatchCount: 1,
    parts: Math.max(deliveries.length, 1),
  };
  // As if each part had room for one delivery.
  made.intakes.push({ ...decided, deliveries: deliveries.slice(0, 1) });
  for (const [part, delivery] of deliveries.entries())
    if (part > 0)
      made.intakes.push({ ...decided, part, deliveries: [delivery] });
  if (chance > 0.94) repeat(event, made, random);
  if (event.sourceOffset === LAST_OF_THE_FIRST_DAY) {
    const repeated = repeatOf(event, { later: HOUR, times: 3 });
    made.intakes.push({ ...repeated, eventType: "order.paid.v2" });
  }
  for (const receiver of sent) deliver(event, receiver, made, random);
}

function invalidBy(random: Random): Partial<Intake> {
  const isRefused = random.next() < 0.3;
  return isRefused
    ? {
        decision: "refused",
        reason: "1001 endpoints want it",
        rule: "max_fan_out",
      }
    : {
        decision: "invalid",
        field: "payload",
        rule: "json",
        reason: "payload: must be JSON",
        eventType: "order.paid",
      };
}

/** The publisher sends it once or twice more. */
function repeat(event: Intake, made: Made, random: Random): void {
  const times = random.between(1, 2);
  for (let n = 1; n <= times; n += 1) {
    const later = n * random.between(500, 90_000);
    made.intakes.push(repeatOf(event, { later, times: n }));
  }
}

function repeatOf(
  event: Intake,
  { later, times }: { readonly later: number; readonly times: number },
): Intake {
  return {
    ...event,
    decision: "duplicate",
    receivedAt: event.receivedAt + later,
    decidedAt: event.decidedAt + later,
    sourceOffset: event.sourceOffset + times * 10_000,
  };
}

/** Goes through the attempts, the deferrals and the end of one delivery, as deliver would. */
function deliver(
  event: Intake,
  receiver: Receiver,
  made: Made,
  random: Random,
): void {
  const of = {
    tenantId: tenantOf(event),
    endpointId: receiver.id,
    deliveryId: `dlv_${event.eventId}_${receiver.id}`,
    eventId: event.eventId ?? "",
    eventType: event.eventType ?? "",
    receivedAt: event.receivedAt,
  };
  const standing: Standing = {
    ...of,
    status: "pending",
    attempts: 0,
    outcome: "",
    statusCode: null,
    changedAt: event.decidedAt,
    waitsFor: "queued",
    dueAt: null,
    tier: "",
    deadLetterReason: "",
  };
  made.deliveries.push(standing);
  let at = event.decidedAt + random.between(1, 300);
  let deferredFor = "";
  // The last quarter of an hour is not worked off yet.
  if (at > made.until - 1.25 * HOUR) return;
  for (let step = 0; at < made.until; step += 1) {
    const hour = (at - made.from) / HOUR;
    const number = standing.attempts + 1;
    const reason = receiver.givesUp(hour);
    if (reason !== null) {
      giveUp(made, standing, { reason, at, step });
      // Resumed later, and put off at once.
      if (reason === "paused" && number > 1)
        putOff(made, standing, {
          wait: { reason: "rate_limited", ms: HOUR },
          at: made.from + 45 * HOUR,
          step: step + 1,
        });
      return;
    }
    const wait = receiver.deferral(hour, random);
    if (wait !== null && wait.reason !== deferredFor) {
      deferredFor = wait.reason;
      putOff(made, standing, { wait, at, step });
      at += wait.ms;
      continue;
    }
    deferredFor = "";
    const shown = receiver.answer(hour, random);
    const isLast = number > WAITS_MS.length;
    const isDead = shown.statusCode === 410 || isLast;
    const isDelivered = shown.outcome === "delivered";
    const endedAt = at + shown.durationMs;
    const dueAt = endedAt + (WAITS_MS[number - 1] ?? 0);
    const tier = isDelivered || isDead ? null : tierOf(dueAt - endedAt);
    const dead = shown.statusCode === 410 ? "gone" : "exhausted";
    const attempt = anAttempt({
      ...of,
      ...shown,
      attemptNumber: number,
      step,
      trigger: number === 1 ? "first" : "retry",
      startedAt: at,
      queueMs: random.between(0, receiver.id === "ep_slow" ? 900 : 30),
      isReused: random.next() < 0.7,
      requestBytes: event.payloadBytes,
      worker: `dispatcher-${random.between(1, 2)}`,
      status: isDelivered ? "delivered" : isDead ? "expired" : "failed",
      disposition: isDelivered ? "done" : isDead ? "dead_letter" : "retry",
      nextAttemptAt: isDelivered || isDead ? null : dueAt,
      tier,
      deadLetterReason: isDelivered || !isDead ? null : dead,
    });
    made.attempts.push(attempt);
    standing.attempts = number;
    standing.outcome = shown.outcome;
    standing.statusCode = shown.statusCode;
    standing.changedAt = endedAt;
    if (isDelivered) {
      standing.status = "delivered";
      // The process crashed before it had committed: another one makes the request again.
      if (random.next() < 0.02) {
        made.attempts.push({ ...attempt, startedAt: at + 9_000 });
        standing.changedAt = endedAt + 9_000;
      }
      return;
    }
    if (isDead) {
      giveUp(made, standing, { reason: dead, at: endedAt, step });
      return;
    }
    standing.status = "failed";
    standing.waitsFor = "retry";
    standing.dueAt = dueAt;
    standing.tier = tier ?? "";
    at = dueAt;
  }
}

/** The longest that is no longer than the wait, or the shortest. */
function tierOf(waitMs: number): string {
  return TIERS.findLast(([, ms]) => ms <= waitMs)?.[0] ?? TIERS[0][0];
}

function putOff(
  made: Made,
  standing: Standing,
  {
    wait,
    at,
    step,
  }: { readonly wait: Wait; readonly at: number; readonly step: number },
): void {
  const { tenantId, endpointId, deliveryId, eventId, eventType, receivedAt } =
    standing;
  standing.waitsFor = wait.reason;
  standing.dueAt = at + wait.ms;
  standing.tier = tierOf(wait.ms);
  made.attempts.push(
    anAttempt({
      tenantId,
      endpointId,
      deliveryId,
      eventId,
      eventType,
      receivedAt,
      attemptNumber: 0,
      step,
      trigger: standing.attempts === 0 ? "first" : "retry",
      startedAt: at,
      queueMs: 0,
      durationMs: 0,
      connectMs: 0,
      ttfbMs: 0,
      outcome: null,
      statusCode: null,
      status: standing.status === "pending" ? "pending" : "failed",
      disposition: "defer",
      deferralReason: wait.reason,
      tier: standing.tier,
      nextAttemptAt: standing.dueAt,
      requestBytes: 0,
    }),
  );
}

function giveUp(
  made: Made,
  standing: Standing,
  end: {
    readonly reason: DeadLetterReason;
    readonly at: number;
    readonly step: number;
  },
): void {
  const { reason } = end;
  const isAttempted = reason === "gone" || reason === "exhausted";
  const { tenantId, endpointId, deliveryId, eventId, eventType, receivedAt } =
    standing;
  made.deadLetters.push(
    aDeadLetter({
      tenantId,
      endpointId,
      deliveryId,
      eventId,
      eventType,
      receivedAt,
      reason,
      detail: `${reason} after ${standing.attempts}`,
      deadAt: end.at,
      attempts: standing.attempts,
      step: end.step,
      lastOutcome: isAttempted ? standing.outcome : null,
      lastStatusCode: isAttempted ? standing.statusCode : null,
      recordOffset: made.deadLetters.length,
    }),
  );
  if (!isAttempted) {
    standing.outcome = "";
    standing.statusCode = null;
  }
  if (reason !== "paused") standing.status = "expired";
  standing.deadLetterReason = reason;
  standing.waitsFor = reason;
  standing.tier = "";
}
