import {
  type Endpoint,
  type EpochMs,
  eventIdProblem,
  type EventRules,
  fanOut,
  isEventType,
  isTenantId,
  type Problem,
  problemsOfParsed,
  type WebhookEvent,
} from "@postrider/core";
import type { InRecord, OutRecord, Stage, Verdict } from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";
import {
  type DeliveryTarget,
  firstDelivery,
  type ValidEvent,
} from "./delivery-records.ts";
import { DuplicateWindow, type WindowLimits } from "./duplicate-window.ts";
import {
  type IntakeDecision,
  intakeRecords,
  type IntakeSource,
  type KnownEvent,
} from "./intake-records.ts";
import type { RouteInput } from "./read-event.ts";
import { describe, rejectedRecord } from "./rejected-record.ts";
import { sealDestination } from "./seal-destination.ts";

export interface RouteOptions {
  readonly rules: EventRules;
  /** More endpoints than this for one event: refused. */
  readonly maxFanOut: number;
  readonly window: WindowLimits;
  /** The tenant's endpoints now. */
  readonly endpointsOf: (tenantId: string) => Iterable<Endpoint>;
  readonly keyRing: KeyRing;
  readonly encodeEvent: (event: WebhookEvent) => Buffer;
  readonly now: () => EpochMs;
  /** Called once per record with what was decided, for metrics and logs. */
  readonly onDecided?: (decision: IntakeDecision, known: KnownEvent) => void;
}

/** Handling never awaits, so a lane's records are judged in the order of the topic however many are in flight. */
const LANE_CONCURRENCY = 10_000;

/** `events` → `deliveries`, `intake`, `dead-letters`: finds who wants each event. Every record gets an intake row, whatever it is. */
export function createRouteStage(options: RouteOptions): Stage<RouteInput> {
  const window = new DuplicateWindow(options.window);
  return {
    laneOf: ({ raw }) => `${raw.topic}/${raw.partition}`,
    laneConcurrency: () => LANE_CONCURRENCY,
    remember({ raw, value }) {
      window.see(raw);
      const judged = judge(value, options);
      if (judged.kind === "accepted") window.accept(raw, judged.key);
    },
    forget(partition) {
      window.forget(partition);
    },
    async handle({ raw, value }) {
      window.see(raw);
      const judged = judge(value, options);
      const route = new Routing({ raw, value }, options);
      if (judged.kind === "rejected")
        return emit(route.rejected(judged.problems));
      if (judged.kind === "refused") return emit(route.refused(judged.count));
      if (window.isRepeat(raw, judged.key)) return emit(route.duplicate());
      window.accept(raw, judged.key);
      return emit(route.accepted(judged));
    },
  };
}

type Judged =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | { readonly kind: "refused"; readonly count: number }
  | {
      readonly kind: "accepted";
      readonly event: ValidEvent;
      /** Of the duplicate window; tenant ids hold no colon. */
      readonly key: string;
      readonly matched: ReturnType<typeof fanOut> | null;
    };

function judge(input: RouteInput, options: RouteOptions): Judged {
  if (input.kind === "unreadable")
    return { kind: "rejected", problems: [input.problem] };
  const problems = problemsOfParsed(input, options.rules);
  const { tenantId } = input.event;
  if (problems.length > 0 || tenantId === null)
    return { kind: "rejected", problems };
  const event: ValidEvent = { ...input.event, tenantId };
  const matched =
    event.destination === null
      ? fanOut(event.type, options.endpointsOf(tenantId))
      : null;
  const count = matched?.sent.length ?? 1;
  if (count > options.maxFanOut) return { kind: "refused", count };
  return { kind: "accepted", event, key: `${tenantId}:${event.id}`, matched };
}

/** What one record becomes. */
class Routing {
  readonly #record: InRecord<RouteInput>;
  readonly #options: RouteOptions;
  readonly #now: EpochMs;
  readonly #known: KnownEvent;

  constructor(record: InRecord<RouteInput>, options: RouteOptions) {
    this.#record = record;
    this.#options = options;
    this.#now = options.now();
    this.#known = knownOf(record.value);
  }

  rejected(problems: readonly Problem[]): OutRecord[] {
    const { raw, value: input } = this.#record;
    const { keyRing, encodeEvent } = this.#options;
    const deadLetter = rejectedRecord(
      { raw, input, known: this.#known, problems },
      { keyRing, encodeEvent, now: this.#now },
    );
    const [problem] = problems;
    const intake = this.#intake({
      decision: "invalid",
      reason: problems.map(describe).join("; "),
      ...(problem === undefined ? {} : { problem }),
    });
    return [deadLetter, ...intake];
  }

  refused(count: number): OutRecord[] {
    const { maxFanOut } = this.#options;
    const reason = `${count} endpoints want this event; at most ${maxFanOut} are served`;
    return this.#intake({ decision: "refused", reason });
  }

  duplicate(): OutRecord[] {
    const reason = "an event of this tenant and id was accepted before";
    return this.#intake({ decision: "duplicate", reason });
  }

  accepted({
    event,
    matched,
  }: Extract<Judged, { kind: "accepted" }>): OutRecord[] {
    const targets =
      matched === null ? [this.#inlineTarget(event)] : matched.sent.map(target);
    const made = targets.map((one) =>
      firstDelivery(event, this.#record.raw, one),
    );
    const isRouted = made.length > 0;
    const intake = this.#intake({
      decision: isRouted ? "routed" : "no_match",
      ...(isRouted ? {} : { reason: whyNobody(matched) }),
      deliveries: made.map(({ deliveryId, endpointId }) => ({
        deliveryId,
        endpointId,
      })),
      ...matched,
    });
    const deliveries = made.map((value): OutRecord => ({
      topic: "deliveries",
      key: value.endpointId,
      value,
    }));
    return [...deliveries, ...intake];
  }

  #inlineTarget(event: ValidEvent): DeliveryTarget {
    const destination = event.destination!; // only called where there is one
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
    };
    return { endpointId, endpointVersion: 0, inline };
  }

  #intake(decided: IntakeDecision): OutRecord[] {
    const { raw, value: input } = this.#record;
    const source: IntakeSource = {
      raw,
      input,
      known: this.#known,
      decidedAt: this.#now,
      maxPayloadBytes: this.#options.rules.maxPayloadBytes,
    };
    this.#options.onDecided?.(decided, this.#known);
    return intakeRecords(source, decided);
  }
}

function target(endpoint: Endpoint): DeliveryTarget {
  return {
    endpointId: endpoint.id,
    endpointVersion: endpoint.version,
    inline: null,
  };
}

function whyNobody(matched: ReturnType<typeof fanOut> | null): string {
  return (matched?.disabledIds.length ?? 0) > 0
    ? "every endpoint that wants this type is disabled"
    : "no endpoint of the tenant wants this type";
}

/** Names that break a rule are left out: they would go into keys and columns. */
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

function emit(records: readonly OutRecord[]): Verdict {
  return { kind: "emit", records };
}
