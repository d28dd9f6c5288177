/** What the API answers about the installation itself, as far as the console reads it. As in answers.ts, closed lists are texts here. */

/** `GET /v1/status`, of the replica that answers. */
export interface ControlStatus {
  readonly isOwner: boolean;
  readonly ownership: { readonly state: string; readonly detail: string };
  readonly endpoints: number;
  readonly clickhouse: {
    readonly isReachable: boolean;
    readonly detail: string;
  };
}

/** `GET /v1/system`: groups and topics, as Kafka told them at `askedAt`. A number that is null is not known; a `problem` says why. */
export interface System {
  readonly askedAt: string;
  readonly processes: readonly SystemProcess[];
  /** In the order of the flow. */
  readonly stages: readonly Stage[];
  readonly topics: readonly Topic[];
  readonly problem: SystemProblem | null;
}

export interface SystemProblem {
  readonly detail: string;
  /** Mends it. */
  readonly command: string | null;
}

export interface SystemProcess {
  readonly service: string;
  readonly host: string;
  readonly pid: number | null;
  readonly version: string | null;
}

export interface Stage {
  readonly name: string;
  readonly service: string;
  readonly groupId: string;
  readonly state: string;
  /** Its records wait for their time. */
  readonly isWaiting: boolean;
  readonly members: readonly StageMember[];
  readonly topics: readonly StageTopic[];
  readonly behind: number | null;
  readonly unfinished: number | null;
  readonly problem: SystemProblem | null;
}

export interface StageMember {
  readonly host: string;
  readonly pid: number | null;
  readonly version: string | null;
  readonly partitions: number;
}

export interface StageTopic {
  readonly topic: string;
  readonly partitions: number | null;
  readonly committed: number | null;
  readonly end: number | null;
  readonly behind: number | null;
  readonly unfinished: number | null;
  readonly problem: SystemProblem | null;
}

export interface Topic {
  readonly topic: string;
  readonly partitions: number | null;
  readonly replicas: number | null;
  readonly underReplicated: number | null;
  readonly leaderless: number | null;
  readonly records: number | null;
  readonly problem: SystemProblem | null;
}

/** `GET /v1/config`, of the replica that answers. */
export interface Configuration {
  readonly version: string;
  readonly settings: readonly Setting[];
}

export interface Setting {
  readonly variable: string;
  /** Null: not set. */
  readonly value: string | null;
  readonly from: string;
  readonly isSecret: boolean;
  readonly description: string;
}

/** An entry of `GET /v1/audit`. */
export interface AuditEntry {
  readonly at: string | null;
  /** A key's id; `admin` or `postrider`. */
  readonly actor: string;
  readonly tenantId: string | null;
  readonly subject: string;
  readonly subjectId: string;
  readonly action: string;
  readonly why: string;
  /** As JSON: it may have numbers that JavaScript would round. Null: there is none. */
  readonly detail: string | null;
  readonly requestId: string;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

/** A key of `GET /v1/keys`. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Null: every tenant. */
  readonly tenantId: string | null;
  readonly state: string;
  readonly limitPerSecond: number | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

export interface ApiKeyPage {
  readonly keys: readonly ApiKey[];
  readonly nextCursor: string | null;
}

/** The answer of `POST /v1/keys`, the only one with the token. */
export interface NewApiKey extends ApiKey {
  readonly token: string;
}

/** `GET /v1/secrets`. */
export interface EncryptionKeys {
  readonly newest: string;
  /** Sealed by an older key, and can be sealed anew. */
  readonly remaining: number;
  /** Sealed by a key that this replica lacks. */
  readonly missing: number;
  /** Not sealed yet: an older version wrote them. */
  readonly plainHeaders: number;
  readonly keys: readonly EncryptionKey[];
}

export interface EncryptionKey {
  readonly kid: string;
  readonly isInRing: boolean;
  readonly endpoints: number;
  readonly secrets: number;
  readonly headers: number;
}

/** One round of `POST /v1/secrets/reencrypt`. */
export interface Reencryption {
  readonly secrets: number;
  readonly headers: number;
  readonly failed: readonly FailedSeal[];
  /** `after` of the next round; null: that was the last. */
  readonly next: string | null;
}

export interface FailedSeal {
  readonly endpointId: string;
  readonly tenantId: string;
  readonly secretId: string | null;
  readonly header: string | null;
  readonly kid: string;
  readonly reason: string;
}

/** A type of `GET /v1/event-types`. */
export interface EventTypeEntry {
  readonly name: string;
  /** Null: every tenant's. */
  readonly tenantId: string | null;
  readonly description: string;
  /** As JSON, and so is the example: they may have numbers that JavaScript would round. Null: there is none. */
  readonly schema: string | null;
  readonly example: string | null;
  readonly version: number;
  readonly updatedAt: string;
}

export interface EventTypePage {
  readonly eventTypes: readonly EventTypeEntry[];
  readonly nextCursor: string | null;
}

/** `GET /v1/event-type-policies`: the tenants that have one. */
export interface TypePolicy {
  readonly tenantId: string;
  readonly level: string;
}

export interface TypePolicyPage {
  readonly policies: readonly TypePolicy[];
  readonly nextCursor: string | null;
}
