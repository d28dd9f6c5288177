/** The answer of `GET /v1/events/{id}`, a public contract, as far as it is read here. Declared a second time, because a package imports no service; tests/event-view.test.ts holds it against control's. */
export interface EventView {
  readonly id: string;
  readonly type: string;
  readonly tenantId: string | null;
  readonly occurredAt: string | null;
  readonly receivedAt: string;
  readonly decision: string;
  readonly reason: string | null;
  readonly deliveries: readonly DeliveryView[];
}

export interface DeliveryView {
  readonly id: string;
  readonly endpointId: string;
  readonly status: string;
  readonly attempts: readonly {
    readonly attemptNumber: number;
    readonly startedAt: string;
    readonly outcome: string;
    readonly statusCode: number | null;
    readonly durationMs: number;
    readonly trigger: string;
    readonly error: string | null;
  }[];
  /** How many were made: the last ones may still be missing in `attempts`. A control of before does not say it. */
  readonly attemptCount?: number;
  readonly nextAttemptAt: string | null;
  readonly deferralReason?: string | null;
  readonly deadLetterReason?: string | null;
}
