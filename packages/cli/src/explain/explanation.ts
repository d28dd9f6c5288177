/** The answer of `GET /v1/events/{id}/explain`, a public contract, as far as it is read here. Declared a second time, because a package imports no service; tests/explanation.test.ts holds it against control's. */
export interface Explanation {
  readonly id: string;
  readonly type: string;
  readonly tenantId: string | null;
  readonly verdict: string;
  readonly arrival: Arrival | null;
  readonly arrivals: {
    readonly count: number;
    readonly others: readonly Arrival[];
  };
  readonly deadLetter: {
    readonly reason: string;
    readonly detail: string;
    readonly place: Place;
  } | null;
  readonly sent: {
    readonly endpoints: number;
    readonly deliveries: number;
    readonly delivered: number;
    readonly waiting: number;
    readonly parked: number;
    readonly givenUp: number;
  };
  readonly deliveries: readonly ExplainedDelivery[];
  readonly paused: EndpointGroup;
  readonly disabled: EndpointGroup;
  readonly filtered: EndpointGroup;
  readonly notNamed: NotNamed | null;
  readonly next: readonly NextStep[];
  readonly truncated: boolean;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface Arrival {
  readonly receivedAt: string;
  readonly decidedAt: string;
  readonly decision: string;
  readonly reason: string | null;
  readonly field: string | null;
  readonly rule: string | null;
  readonly source: Place & { readonly kind: string };
}

export interface EndpointNow {
  readonly id: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly externalId: string | null;
  readonly description: string;
  readonly url: string | null;
  readonly eventTypes: readonly string[];
  readonly filter: string | null;
  readonly rateLimit: {
    readonly perSecond: number;
    readonly burst: number;
  } | null;
}

export interface EndpointGroup {
  readonly count: number;
  readonly endpoints: readonly EndpointNow[];
}

export interface NotNamed {
  readonly countThen: number;
  readonly byReason: Readonly<Record<string, number>>;
  readonly endpoints: readonly (EndpointNow & {
    readonly reason: string;
    readonly createdAt: string;
    readonly updatedAt: string;
  })[];
}

export interface ExplainedDelivery {
  readonly id: string;
  readonly endpoint: EndpointNow;
  readonly status: string;
  readonly replayId: string | null;
  readonly isSentAgain: boolean;
  readonly attempts: number;
  readonly outcomes: readonly {
    readonly outcome: string;
    readonly statusCode: number | null;
    readonly count: number;
  }[];
  readonly lastAttempt: {
    readonly attemptNumber: number;
    readonly startedAt: string;
    readonly outcome: string;
    readonly statusCode: number | null;
    readonly trigger: string;
    readonly error: string | null;
  } | null;
  readonly waitsFor: string | null;
  readonly deferralReason: string | null;
  readonly tier: string | null;
  readonly nextAttemptAt: string | null;
  readonly isOverdue: boolean;
  readonly breaker: {
    readonly openedAt: string;
    readonly detail: string;
  } | null;
  readonly deadLetter: {
    readonly reason: string;
    readonly detail: string | null;
    readonly place: Place | null;
  } | null;
}

export interface NextStep {
  readonly action: string;
  readonly endpointId: string | null;
  readonly deliveryId: string | null;
}
