/** What the API takes and answers about replays, as far as the console reads it (api/answers.ts). */

/** What is selected, as `POST /v1/replays/preview` takes it: every field is optional, and a delivery must match all that are given. */
export interface AskedSelection {
  readonly tenantId?: string;
  readonly deliveryIds?: readonly string[];
  readonly sql?: string;
  readonly endpointId?: string;
  readonly eventTypes?: readonly string[];
  readonly statuses?: readonly string[];
  readonly reasons?: readonly string[];
  readonly statusCode?: number;
  readonly receivedSince?: string;
  readonly receivedUntil?: string;
  readonly deadSince?: string;
  readonly deadUntil?: string;
  readonly ratePerSecond?: number;
}

/** The same as it is kept: nothing where it was not given. */
export interface ReplaySelection {
  readonly deliveryIds: readonly string[];
  readonly sql: string | null;
  readonly endpointId: string | null;
  readonly eventTypes: readonly string[];
  readonly statuses: readonly string[];
  readonly reasons: readonly string[];
  readonly statusCode: number | null;
  readonly receivedSince: string | null;
  readonly receivedUntil: string | null;
  /** When it was given up. */
  readonly deadSince: string | null;
  readonly deadUntil: string | null;
}

/** How many, by reason. */
export type LeftOut = Readonly<Record<string, number>>;

export interface EndpointPreview {
  readonly endpointId: string;
  readonly tenantId: string;
  readonly total: number;
  readonly toSend: number;
  readonly leftOut: LeftOut;
  /** Why nothing can be sent to it now. */
  readonly lack: string | null;
}

/** `POST /v1/replays/preview`. */
export interface ReplayPreview {
  readonly selectedAt: string;
  readonly total: number;
  readonly toSend: number;
  /** How many are not sent, by reason. */
  readonly leftOut: LeftOut;
  readonly ratePerSecond: number;
  /** How long it takes at that rate. */
  readonly seconds: number;
  readonly endpointCount: number;
  /** Those with the most. */
  readonly endpoints: readonly EndpointPreview[];
  /** Where the selection reaches further back: nothing of before this is selected. */
  readonly wholeSince: string | null;
  /** Dead letters that match and have no delivery, by reason: nothing sends them. */
  readonly withoutDelivery: Readonly<Record<string, number>>;
}

/** `GET /v1/replays/{id}`, and a row of `GET /v1/replays`. */
export interface Replay {
  readonly id: string;
  readonly kind: string;
  readonly tenantId: string | null;
  readonly state: string;
  readonly detail: string | null;
  readonly selection: ReplaySelection;
  readonly selectedAt: string;
  readonly why: string;
  readonly createdBy: string;
  readonly ratePerSecond: number;
  /** As counted when it was made. */
  readonly total: number;
  /** Looked at: sent or left out. */
  readonly done: number;
  readonly sent: number;
  readonly leftOut: LeftOut;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export interface ReplayPage {
  readonly replays: readonly Replay[];
  readonly nextCursor: string | null;
}
