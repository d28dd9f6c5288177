/** What the API answers about endpoints, as far as the console reads it (see answers.ts). */
import type { Endpoint } from "./answers.ts";

/** An endpoint with all its settings. */
export interface EndpointSettings extends Endpoint {
  readonly externalId: string | null;
  readonly tenantId: string;
  readonly eventTypes: readonly string[];
  readonly filter: string | null;
  /** Oldest first. */
  readonly secrets: readonly EndpointSecret[];
  readonly signing: readonly string[];
  readonly timeoutMs: number;
  readonly maxConcurrency: number;
  readonly rateLimit: {
    readonly perSecond: number;
    readonly burst: number;
  } | null;
  readonly retryDelaysMs: readonly number[] | null;
  readonly maxAttempts: number | null;
  readonly maxAgeMs: number | null;
  readonly notRetryableStatuses: readonly number[];
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface EndpointSecret {
  readonly id: string;
  readonly publicKey: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** `GET /v1/endpoints`. */
export interface EndpointPage {
  readonly endpoints: readonly EndpointSettings[];
  readonly nextCursor: string | null;
}

/** The answer to what makes a secret: no other shows it. */
export interface EndpointWithSecret extends EndpointSettings {
  readonly secret: string;
}

/** `GET /v1/endpoints/{id}/resume`. */
export interface Resume {
  readonly state: string;
  readonly detail: string | null;
  readonly read: number;
  readonly total: number;
  readonly sent: number;
  readonly unreadable: number;
  readonly lost: number;
}

/** `POST /v1/endpoints/{id}/test`. */
export interface TestSend {
  readonly deliveryId: string;
  readonly eventId: string;
}
