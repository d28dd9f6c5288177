/** What the API answers about dead letters, as far as the console reads it (api/answers.ts). */

/** A row of `GET /v1/dead-letters`. A record that never became a delivery has neither endpoint nor delivery. */
export interface DeadLetter {
  readonly deadAt: string | null;
  readonly reason: string;
  readonly detail: string | null;
  readonly deliveryId: string | null;
  readonly eventId: string | null;
  readonly eventType: string | null;
  /** The event reached the endpoint since. */
  readonly isDelivered: boolean;
  readonly stage: string;
  readonly attempts: number;
  readonly lastOutcome: string | null;
  readonly lastStatusCode: number | null;
  readonly logTopic: string;
  readonly logPartition: number;
  readonly logOffset: number;
}

export interface DeadLetterPage {
  readonly deadLetters: readonly DeadLetter[];
  readonly nextCursor: string | null;
}

/** `GET /v1/queries/dead-letter-groups`: what every saved query answers. */
export interface GroupsAnswer {
  readonly columns: readonly { readonly name: string }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  readonly truncated: boolean;
}
