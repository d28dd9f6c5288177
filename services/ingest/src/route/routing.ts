import {
  type DeadLetterReason,
  type Delivery,
  type Endpoint,
  type EpochMs,
  eventIdProblem,
  fewProblems,
  type FanOut,
  isEventType,
  isTenantId,
  receivedAtOf,
  type Problem,
  type RoutedDelivery,
  type WebhookEvent,
} from "@postrider/core";
import type { InRecord, OutRecord, RawRecord } from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";
import type { Filtered } from "./endpoint-filters.ts";
import { type DeliveryTarget, firstDelivery } from "./first-delivery.ts";
import type { ValidEvent } from "../valid-event.ts";
import {
  type IntakeDecision,
  intakeRecords,
  type IntakeSource,
  type KnownEvent,
} from "./intake-records.ts";
import { isMendedBySettings, UNDER_A_NEW_ID } from "./mended-by-settings.ts";
import type { RouteInput } from "./read-event.ts";
import { describe, rejectedRecord } from "./rejected-record.ts";
import { sealDestination } from "../secrets/seal-destination.ts";

export interface RoutingOptions {
  /** See `IntakeSource`. */
  readonly recordedPayloadBytes: number;
  readonly maxFanOut: number;
  readonly keyRing: KeyRing;
  /** Encodes an event as Avro: a refused event is stored again without its secrets. */
  readonly encodeEvent: (event: WebhookEvent) => Buffer;
  readonly now: () => EpochMs;
  /** Called once per record with what was decided, for metrics and logs. */
  readonly onDecided?: (decision: IntakeDecision, known: KnownEvent) => void;
}

/** Up to this many deliveries, an event's records are returned as an array, which is cheaper to make and to send than a generator. */
const MOST_AT_ONCE = 500;

/** Builds the records that follow from one record of `events`. */
export class Routing {
  readonly #record: InRecord<RouteInput>;
  readonly #options: RoutingOptions;
  readonly #now: EpochMs;
  #known: KnownEvent | null = null;

  constructor(record: InRecord<RouteInput>, options: RoutingOptions) {
    this.#options = options;
    this.#now = options.now();
    const { raw, value } = record;
    const timestamp = receivedAtOf(raw.timestamp, this.#now);
    this.#record =
      timestamp === raw.timestamp
        ? record
        : { value, raw: { ...raw, timestamp } };
  }

  /** Of the record's event. */
  get known(): KnownEvent {
    return (this.#known ??= knownOf(this.#record.value));
  }

  /** For a record that the runner gave up: nothing is known of its event. */
  static ofUnread(raw: RawRecord, options: RoutingOptions): Routing {
    const problem = { field: "", rule: "unreadable", message: "" };
    return new Routing(
      { raw, value: { kind: "unreadable", problem } },
      options,
    );
  }

  rejected(problems: readonly Problem[]): OutRecord[] {
    const { raw, value: input } = this.#record;
    const { keyRing, encodeEvent } = this.#options;
    const deadLetter = rejectedRecord(
      { raw, input, known: this.known, problems },
      { keyRing, encodeEvent, now: this.#now },
    );
    const [problem] = problems;
    const intake = this.#intake({
      decision: "invalid",
      reason: [
        ...problems.map(describe),
        ...(isOfSource(input) || problems.some(isMendedBySettings)
          ? [UNDER_A_NEW_ID]
          : []),
      ].join("; "),
      ...(problem === undefined ? {} : { problem }),
    });
    return [deadLetter, ...intake];
  }

  /** Only the intake record, for a record that the runner could not read: the runner makes its dead letter, whose reason is the `rule` here. */
  unread(rule: DeadLetterReason, detail: string): OutRecord[] {
    const [problem] = fewProblems([{ field: "", rule, message: detail }]);
    const message = problem?.message ?? "";
    const reason =
      rule === "unknown_schema" ? `${message}; ${UNDER_A_NEW_ID}` : message;
    return this.#intake({
      decision: "invalid",
      reason,
      ...(problem && { problem }),
    });
  }

  refused(count: number): OutRecord[] {
    const { maxFanOut } = this.#options;
    const reason = `${count} endpoints want this event; at most ${maxFanOut} are served; ${UNDER_A_NEW_ID}`;
    return this.#intake({ decision: "refused", reason });
  }

  /** `isOther`: what was accepted has another type or payload. Its publisher has used an id, or an `Idempotency-Key`, twice. */
  duplicate(isOther: boolean): OutRecord[] {
    const reason = "an event of this tenant and id was accepted before";
    return this.#intake({
      decision: "duplicate",
      reason: isOther
        ? `${reason}, with another type or payload; publish this one under an id of its own`
        : reason,
    });
  }

  /** `matched` is null for an inline destination. */
  accepted(event: ValidEvent, matched: Matched | null): Iterable<OutRecord> {
    const targets =
      matched === null ? [this.#inlineTarget(event)] : matched.sent.map(target);
    if (targets.length === 0)
      return this.#intake({ ...whyNobody(matched), ...matched });
    this.#known ??= knownOfValid(event);
    if (targets.length > MOST_AT_ONCE)
      return this.#streamed(event, targets, matched);
    const { raw } = this.#record;
    const values = targets.map((one) => firstDelivery(event, raw, one));
    const deliveries = values.map(routedDelivery);
    return [
      ...values.map(deliveryRecord),
      ...this.#intake({ decision: "routed", deliveries, ...matched }),
    ];
  }

  /** Yields each record when it is produced, so that 10,000 deliveries of one event are never in memory at once. */
  *#streamed(
    event: ValidEvent,
    targets: readonly DeliveryTarget[],
    matched: Matched | null,
  ): Generator<OutRecord> {
    const deliveries: RoutedDelivery[] = [];
    for (const one of targets) {
      const value = firstDelivery(event, this.#record.raw, one);
      deliveries.push(routedDelivery(value));
      yield deliveryRecord(value);
    }
    yield* this.#intake({ decision: "routed", deliveries, ...matched });
  }

  #inlineTarget(event: ValidEvent): DeliveryTarget {
    const destination = event.destination!; // the caller has checked: matched is null only with a destination
    const owner = { tenantId: event.tenantId, eventId: event.id };
    const { endpointId, sealedSecret } = sealDestination(destination, owner, {
      keyRing: this.#options.keyRing,
      now: this.#now,
    });
    const inline = {
      url: destination.url,
      secrets: [sealedSecret],
      maxAttempts: destination.maxAttempts,
      timeoutMs: destination.timeoutSeconds * 1_000,
      retryDelaysMs: destination.retryDelaysMs,
      maxAgeMs: destination.maxAgeMs,
      notRetryableStatuses: destination.notRetryableStatuses,
    };
    return { endpointId, endpointVersion: 0, inline };
  }

  #intake(decided: IntakeDecision): OutRecord[] {
    const { raw, value: input } = this.#record;
    const source: IntakeSource = {
      raw,
      input,
      known: this.known,
      decidedAt: this.#now,
      recordedPayloadBytes: this.#options.recordedPayloadBytes,
    };
    this.#options.onDecided?.(decided, this.known);
    return intakeRecords(source, decided);
  }
}

/** What is a field of a source's record is a setting. */
function isOfSource(input: RouteInput): boolean {
  return input.kind === "event" && input.form === "source";
}

function deliveryRecord(value: Delivery): OutRecord {
  return { topic: "deliveries", key: value.endpointId, value };
}

function routedDelivery({ deliveryId, endpointId }: Delivery): RoutedDelivery {
  return { deliveryId, endpointId };
}

function target(endpoint: Endpoint): DeliveryTarget {
  return {
    endpointId: endpoint.id,
    endpointVersion: endpoint.version,
    inline: null,
  };
}

/** Who gets an event; after the filters were asked, where there are any. */
export type Matched = FanOut & Partial<Filtered>;

function whyNobody(
  matched: Matched | null,
): Pick<IntakeDecision, "decision" | "reason"> {
  if ((matched?.filteredIds?.length ?? 0) > 0)
    return {
      decision: "filtered",
      reason: "the filters of all endpoints that want this type leave it out",
    };
  const reason =
    (matched?.disabledIds.length ?? 0) > 0
      ? "every endpoint that wants this type is disabled"
      : "no endpoint of the tenant wants this type";
  return { decision: "no_match", reason };
}

function knownOfValid({ tenantId, id, type }: ValidEvent): KnownEvent {
  return { tenantId, eventId: id, eventType: type };
}

/** The event's tenant, id and type. Values that break a rule are null, because they would go into Kafka keys and ClickHouse columns. */
function knownOf(input: RouteInput): KnownEvent {
  if (input.kind === "unreadable")
    return { tenantId: null, eventId: null, eventType: null };
  const { tenantId, id, type } = input.event;
  return {
    tenantId: tenantId !== null && isTenantId(tenantId) ? tenantId : null,
    eventId: eventIdProblem(id) === undefined ? id : null,
    eventType: isEventType(type) ? type : null,
  };
}
