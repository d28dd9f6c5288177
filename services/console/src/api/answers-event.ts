/** `GET /v1/events/{id}/explain`, as far as the console reads it. As in answers.ts, closed lists are texts here. */

export interface Explanation {
  readonly id: string;
  /** Empty: it is not known. */
  readonly type: string;
  readonly tenantId: string | null;
  readonly verdict: string;
  /** Null: none is recorded, as of a test event. */
  readonly arrival: Arrival | null;
  readonly arrivals: {
    readonly count: number;
    readonly others: readonly Arrival[];
  };
  readonly sent: Sent;
  /** The first ones, those that have not arrived first. */
  readonly deliveries: readonly ExplainedDelivery[];
  readonly disabled: EndpointGroup;
  readonly filtered: EndpointGroup;
  /** Null: endpoints were not looked at. */
  readonly notNamed: NotNamed | null;
  readonly next: readonly NextStep[];
  readonly truncated: boolean;
}

export interface Arrival {
  readonly receivedAt: string;
  readonly occurredAt: string | null;
  readonly decision: string;
  readonly reason: string | null;
  readonly source: {
    readonly kind: string;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  };
}

/** Endpoints, each once, by how far the event has come with it. */
export interface Sent {
  readonly endpoints: number;
  readonly deliveries: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly parked: number;
  readonly givenUp: number;
}

/** An endpoint as it is now. */
export interface EndpointNow {
  readonly id: string;
  /** Also `inline` and `deleted`. */
  readonly state: string;
  readonly stateReason: string | null;
  readonly description: string;
  readonly url: string | null;
  readonly eventTypes: readonly string[];
  readonly filter: string | null;
}

export interface ExplainedDelivery {
  readonly id: string;
  readonly endpoint: EndpointNow;
  readonly status: string;
  readonly replayId: string | null;
  readonly isSentAgain: boolean;
  readonly attempts: number;
  readonly lastAttempt: {
    readonly startedAt: string;
    readonly outcome: string;
    readonly statusCode: number | null;
    readonly durationMs: number;
  } | null;
  /** Null: nothing follows by itself. */
  readonly waitsFor: string | null;
  readonly deferralReason: string | null;
  readonly nextAttemptAt: string | null;
  readonly isOverdue: boolean;
  readonly deadLetter: {
    readonly reason: string;
    readonly detail: string | null;
  } | null;
}

export interface EndpointGroup {
  readonly count: number;
  /** The first of them. */
  readonly endpoints: readonly EndpointNow[];
}

export interface NotNamed {
  /** How many did not want the type then. */
  readonly countThen: number;
  readonly byReason: Readonly<Record<string, number>>;
  readonly endpoints: readonly (EndpointNow & { readonly reason: string })[];
}

export interface NextStep {
  readonly action: string;
  readonly endpointId: string | null;
  readonly deliveryId: string | null;
}
