/** The console declares what it reads of control's answers itself, because a service imports no other. Here both meet: every field that it reads is in control's document, and may be null exactly where the document lets it. */
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { DEAD_LETTER_REASONS, OUTCOMES } from "@postrider/core";
import type {
  AttemptEntry,
  Caller,
  DeadLetterEntry,
  DeferralEntry,
  Delivery,
  Endpoint,
  EventEntry,
  EventPayload,
  SignalEntry,
} from "../services/console/src/api/answers.ts";
import type {
  Series,
  SeriesGroup,
  SeriesPoint,
} from "../services/console/src/api/answers-series.ts";
import type {
  EndpointPreview,
  Replay,
  ReplayPreview,
  ReplaySelection,
} from "../services/console/src/api/answers-replays.ts";
import type { DeadLetter } from "../services/console/src/api/answers-letters.ts";
import { LEFT_OUT_REASONS } from "../services/control/src/replays/replay.ts";
import { leftOutSentence } from "../services/console/src/shown/sentences.ts";
import { REASONS } from "../services/console/src/replay/reasons.ts";
import type {
  ExplainedDelivery,
  Explanation,
  NextStep,
} from "../services/console/src/api/answers-event.ts";
import type {
  ApiKey,
  AuditEntry,
  Configuration,
  ControlStatus,
  EncryptionKey,
  EncryptionKeys,
  EventTypeEntry,
  FailedSeal,
  NewApiKey,
  Reencryption,
  Setting,
  Stage,
  StageMember,
  StageTopic,
  System,
  SystemProblem,
  SystemProcess,
  Topic,
  TypePolicy,
} from "../services/console/src/api/answers-system.ts";
import type {
  QueryAnswer,
  QueryParameter,
  SavedQuery,
} from "../services/console/src/api/answers-queries.ts";
import type {
  EndpointPage,
  EndpointSecret,
  EndpointSettings,
  EndpointWithSecret,
  Resume,
  TestSend,
} from "../services/console/src/api/answers-endpoints.ts";
import {
  FILTERS,
  OUTCOMES as OFFERED,
} from "../services/console/src/deliveries/delivery-filters.ts";
import {
  ACTIONS,
  SUBJECTS,
} from "../services/console/src/system/audit-words.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly const?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const { components, paths } = JSON.parse(
  readFileSync(
    new URL("../docs/openapi/control.json", import.meta.url),
    "utf8",
  ),
) as {
  components: { schemas: Readonly<Record<string, Schema>> };
  paths: Readonly<
    Record<string, { get: { parameters: readonly Parameter[] } }>
  >;
};
interface Parameter {
  readonly name: string;
  readonly schema: { readonly pattern?: string };
}

const entries =
  components.schemas["DeliveryWithTimeline"]?.properties?.["timeline"]?.items
    ?.oneOf ?? [];
const entry = (kind: string): Schema | undefined =>
  entries.find(({ properties }) => properties?.["kind"]?.const === kind);

/** What a field may be: `null` where the type has it, else the name of its JSON type. */
type Kinds<T> = {
  readonly [K in keyof T]-?: readonly (
    JsonType<NonNullable<T[K]>> | (null extends T[K] ? "null" : never)
  )[];
};
type JsonType<V> = V extends string
  ? "string"
  : V extends number
    ? "integer" | "number"
    : V extends boolean
      ? "boolean"
      : V extends readonly unknown[]
        ? "array"
        : "object";

const text = ["string"] as const;
const textOrNull = ["null", "string"] as const;
const whole = ["integer"] as const;
const wholeOrNull = ["integer", "null"] as const;
const object = ["object"] as const;
const objectOrNull = ["null", "object"] as const;
const array = ["array"] as const;
const bool = ["boolean"] as const;

const delivery: Kinds<Delivery> = {
  id: text,
  tenantId: text,
  endpointId: text,
  eventId: text,
  eventType: text,
  status: text,
  attempts: whole,
  outcome: textOrNull,
  statusCode: wholeOrNull,
  errorCode: textOrNull,
  durationMs: whole,
  receivedAt: textOrNull,
  changedAt: textOrNull,
  nextAttemptAt: textOrNull,
  deferralReason: textOrNull,
  deadLetterReason: textOrNull,
  replayId: textOrNull,
};
const event: Kinds<EventEntry> = {
  kind: text,
  at: textOrNull,
  decidedAt: textOrNull,
  occurredAt: textOrNull,
  decision: text,
  payloadBytes: whole,
};
const attempt: Kinds<AttemptEntry> = {
  kind: text,
  at: textOrNull,
  attemptNumber: whole,
  trigger: text,
  outcome: textOrNull,
  statusCode: wholeOrNull,
  durationMs: whole,
  queueMs: whole,
  dnsMs: whole,
  connectMs: whole,
  tlsMs: whole,
  ttfbMs: whole,
  isReused: ["boolean"],
  remoteAddress: textOrNull,
  errorCode: textOrNull,
  error: textOrNull,
  responseHeaders: object,
  responseBody: textOrNull,
  tier: textOrNull,
  status: text,
  deferralReason: textOrNull,
  nextAttemptAt: textOrNull,
  deadLetterReason: textOrNull,
  replayId: textOrNull,
};
const deferral: Kinds<DeferralEntry> = {
  kind: text,
  at: textOrNull,
  deferralReason: textOrNull,
  nextAttemptAt: textOrNull,
  status: text,
};
const signal: Kinds<SignalEntry> = {
  kind: text,
  at: textOrNull,
  signal: text,
  detail: text,
};
const deadLetter: Kinds<DeadLetterEntry> = {
  kind: text,
  at: textOrNull,
  reason: text,
  detail: textOrNull,
};
const caller: Kinds<Caller> = { keyId: text, role: text, tenantId: textOrNull };
const payload: Kinds<EventPayload> = {
  contentType: text,
  headers: object,
  payloadBytes: whole,
  payload: textOrNull,
  encoding: text,
};
const endpoint: Kinds<Endpoint> = {
  id: text,
  url: text,
  description: text,
  state: text,
  stateReason: textOrNull,
  method: text,
  headers: object,
};
const settings: Kinds<EndpointSettings> = {
  ...endpoint,
  externalId: textOrNull,
  tenantId: text,
  eventTypes: array,
  filter: textOrNull,
  secrets: array,
  signing: array,
  timeoutMs: whole,
  maxConcurrency: whole,
  rateLimit: ["null", "object"],
  retryDelaysMs: ["array", "null"],
  maxAttempts: wholeOrNull,
  maxAgeMs: wholeOrNull,
  notRetryableStatuses: array,
  version: whole,
  createdAt: text,
  updatedAt: text,
};
const withSecret: Kinds<EndpointWithSecret> = { ...settings, secret: text };
const endpointPage: Kinds<EndpointPage> = {
  endpoints: array,
  nextCursor: textOrNull,
};
const endpointSecret: Kinds<EndpointSecret> = {
  id: text,
  publicKey: textOrNull,
  createdAt: text,
  expiresAt: textOrNull,
};
const resume: Kinds<Resume> = {
  state: text,
  detail: textOrNull,
  read: whole,
  total: whole,
  sent: whole,
  unreadable: whole,
  lost: whole,
};
const testSend: Kinds<TestSend> = { deliveryId: text, eventId: text };
const preview: Kinds<ReplayPreview> = {
  selectedAt: text,
  total: whole,
  toSend: whole,
  leftOut: object,
  ratePerSecond: whole,
  seconds: whole,
  endpointCount: whole,
  endpoints: array,
  wholeSince: textOrNull,
  withoutDelivery: object,
};
const endpointPreview: Kinds<EndpointPreview> = {
  endpointId: text,
  tenantId: text,
  total: whole,
  toSend: whole,
  leftOut: object,
  lack: textOrNull,
};
const selection: Kinds<ReplaySelection> = {
  deliveryIds: array,
  sql: textOrNull,
  endpointId: textOrNull,
  eventTypes: array,
  statuses: array,
  reasons: array,
  statusCode: wholeOrNull,
  receivedSince: textOrNull,
  receivedUntil: textOrNull,
  deadSince: textOrNull,
  deadUntil: textOrNull,
};
const replay: Kinds<Omit<Replay, "selection">> = {
  id: text,
  kind: text,
  tenantId: textOrNull,
  state: text,
  detail: textOrNull,
  selectedAt: text,
  why: text,
  createdBy: text,
  ratePerSecond: whole,
  total: whole,
  done: whole,
  sent: whole,
  leftOut: object,
  createdAt: text,
  finishedAt: textOrNull,
};
const letter: Kinds<DeadLetter> = {
  deadAt: textOrNull,
  reason: text,
  detail: textOrNull,
  deliveryId: textOrNull,
  eventId: textOrNull,
  eventType: textOrNull,
  isDelivered: ["boolean"],
  stage: text,
  attempts: whole,
  lastOutcome: textOrNull,
  lastStatusCode: wholeOrNull,
  logTopic: text,
  logPartition: whole,
  logOffset: whole,
};
const series: Kinds<Series> = {
  since: text,
  until: text,
  stepMs: whole,
  groups: ["array"],
};
const group: Kinds<SeriesGroup> = {
  key: textOrNull,
  attempts: whole,
  delivered: whole,
  points: ["array"],
};
const amount = ["number"] as const;
const point: Kinds<SeriesPoint> = {
  at: text,
  attempts: whole,
  delivered: whole,
  successShare: amount,
  p50Ms: amount,
  p95Ms: amount,
  p99Ms: amount,
};

const explanation: Kinds<Explanation> = {
  id: text,
  type: text,
  tenantId: textOrNull,
  verdict: text,
  arrival: objectOrNull,
  arrivals: object,
  sent: object,
  deliveries: array,
  disabled: object,
  filtered: object,
  notNamed: objectOrNull,
  next: array,
  truncated: bool,
};
const explained: Kinds<ExplainedDelivery> = {
  id: text,
  endpoint: object,
  status: text,
  replayId: textOrNull,
  isSentAgain: bool,
  attempts: whole,
  lastAttempt: objectOrNull,
  waitsFor: textOrNull,
  deferralReason: textOrNull,
  nextAttemptAt: textOrNull,
  isOverdue: bool,
  deadLetter: objectOrNull,
};
const endpointNow: Kinds<ExplainedDelivery["endpoint"]> = {
  id: text,
  state: text,
  stateReason: textOrNull,
  description: text,
  url: textOrNull,
  eventTypes: array,
  filter: textOrNull,
};
const lastAttempt: Kinds<NonNullable<ExplainedDelivery["lastAttempt"]>> = {
  startedAt: text,
  outcome: text,
  statusCode: wholeOrNull,
  durationMs: whole,
};
const arrival: Kinds<NonNullable<Explanation["arrival"]>> = {
  receivedAt: text,
  occurredAt: textOrNull,
  decision: text,
  reason: textOrNull,
  source: object,
};
const sent: Kinds<Explanation["sent"]> = {
  endpoints: whole,
  deliveries: whole,
  delivered: whole,
  waiting: whole,
  parked: whole,
  givenUp: whole,
};
const nextStep: Kinds<NextStep> = {
  action: text,
  endpointId: textOrNull,
  deliveryId: textOrNull,
};
const status: Kinds<ControlStatus> = {
  isOwner: bool,
  ownership: object,
  endpoints: whole,
  clickhouse: object,
};
const system: Kinds<System> = {
  askedAt: text,
  processes: array,
  stages: array,
  topics: array,
  problem: objectOrNull,
};
const systemProblem: Kinds<SystemProblem> = {
  detail: text,
  command: textOrNull,
};
const systemProcess: Kinds<SystemProcess> = {
  service: text,
  host: text,
  pid: wholeOrNull,
  version: textOrNull,
};
const stage: Kinds<Stage> = {
  name: text,
  service: text,
  groupId: text,
  state: text,
  isWaiting: bool,
  members: array,
  topics: array,
  behind: wholeOrNull,
  unfinished: wholeOrNull,
  problem: objectOrNull,
};
const stageMember: Kinds<StageMember> = {
  host: text,
  pid: wholeOrNull,
  version: textOrNull,
  partitions: whole,
};
const stageTopic: Kinds<StageTopic> = {
  topic: text,
  partitions: wholeOrNull,
  committed: wholeOrNull,
  end: wholeOrNull,
  behind: wholeOrNull,
  unfinished: wholeOrNull,
  problem: objectOrNull,
};
const topic: Kinds<Topic> = {
  topic: text,
  partitions: wholeOrNull,
  replicas: wholeOrNull,
  underReplicated: wholeOrNull,
  leaderless: wholeOrNull,
  records: wholeOrNull,
  problem: objectOrNull,
};
const configuration: Kinds<Configuration> = { version: text, settings: array };
const setting: Kinds<Setting> = {
  variable: text,
  value: textOrNull,
  from: text,
  isSecret: bool,
  description: text,
};
const auditEntry: Kinds<AuditEntry> = {
  at: textOrNull,
  actor: text,
  tenantId: textOrNull,
  subject: text,
  subjectId: text,
  action: text,
  why: text,
  detail: [],
  requestId: text,
};
const key: Kinds<ApiKey> = {
  id: text,
  name: text,
  role: text,
  tenantId: textOrNull,
  state: text,
  limitPerSecond: ["null", "number"],
  createdBy: text,
  createdAt: text,
  expiresAt: textOrNull,
  revokedAt: textOrNull,
};
const newKey: Kinds<NewApiKey> = { ...key, token: text };
const encryptionKeys: Kinds<EncryptionKeys> = {
  newest: text,
  remaining: whole,
  missing: whole,
  plainHeaders: whole,
  keys: array,
};
const encryptionKey: Kinds<EncryptionKey> = {
  kid: text,
  isInRing: bool,
  endpoints: whole,
  secrets: whole,
  headers: whole,
};
const reencryption: Kinds<Reencryption> = {
  secrets: whole,
  headers: whole,
  failed: array,
  next: textOrNull,
};
const failedSeal: Kinds<FailedSeal> = {
  endpointId: text,
  tenantId: text,
  secretId: textOrNull,
  header: textOrNull,
  kid: text,
  reason: text,
};
const eventType: Kinds<EventTypeEntry> = {
  name: text,
  tenantId: textOrNull,
  description: text,
  schema: [],
  example: [],
  version: whole,
  updatedAt: text,
};
const policy: Kinds<TypePolicy> = { tenantId: text, level: text };

const schemas = components.schemas;
const groups = schemas["Series"]?.properties?.["groups"]?.items;
/** The schema of a field, or of the elements of a list, below a named one. */
const below = (name: string, ...path: readonly string[]): Schema | undefined =>
  path.reduce<Schema | undefined>((schema, field) => {
    const found = schema?.properties?.[field];
    return (
      found?.items ??
      found?.anyOf?.find(({ properties }) => properties !== undefined) ??
      found
    );
  }, schemas[name]);
const savedQuery: Kinds<SavedQuery> = {
  name: text,
  title: text,
  description: text,
  sql: text,
  parameters: ["array"],
};
const parameter: Kinds<QueryParameter> = {
  name: text,
  type: text,
  default: textOrNull,
  description: text,
};
const queryAnswer: Kinds<QueryAnswer> = {
  columns: ["array"],
  rows: ["array"],
  truncated: ["boolean"],
  elapsedMs: whole,
};

const query = schemas["SavedQueries"]?.properties?.["queries"]?.items;

test.each<[string, Kinds<object>, Schema | undefined]>([
  ["a delivery", delivery, schemas["Delivery"]],
  ["an event in a timeline", event, entry("event")],
  ["an attempt in a timeline", attempt, entry("attempt")],
  ["a deferral in a timeline", deferral, entry("deferral")],
  ["a signal in a timeline", signal, entry("signal")],
  ["a dead letter in a timeline", deadLetter, entry("dead_letter")],
  ["a caller", caller, schemas["Caller"]],
  ["a payload", payload, schemas["EventPayload"]],
  ["an endpoint", endpoint, schemas["Endpoint"]],
  ["a dead letter", letter, schemas["DeadLetter"]],
  ["an endpoint's settings", settings, schemas["Endpoint"]],
  ["an endpoint with a secret", withSecret, schemas["EndpointWithSecret"]],
  ["a page of endpoints", endpointPage, schemas["EndpointPage"]],
  ["a secret's facts", endpointSecret, itemsOf(schemas["Endpoint"], "secrets")],
  ["a resume", resume, schemas["Resume"]],
  ["a test event", testSend, schemas["TestSend"]],
  ["a preview", preview, schemas["ReplayPreview"]],
  [
    "an endpoint in a preview",
    endpointPreview,
    schemas["ReplayPreview"]?.properties?.["endpoints"]?.items,
  ],
  ["what a replay selects", selection, schemas["ReplaySelection"]],
  ["a replay", replay, schemas["Replay"]],
  ["a series", series, schemas["Series"]],
  ["a group of a series", group, groups],
  ["a point of a series", point, groups?.properties?.["points"]?.items],
  ["control's status", status, schemas["Status"]],
  ["the system", system, schemas["System"]],
  ["why something is not known", systemProblem, below("System", "problem")],
  ["a process", systemProcess, below("System", "processes")],
  ["a stage", stage, below("System", "stages")],
  ["a member of a stage", stageMember, below("System", "stages", "members")],
  ["a topic of a stage", stageTopic, below("System", "stages", "topics")],
  ["a topic", topic, below("System", "topics")],
  ["the configuration", configuration, schemas["Configuration"]],
  ["a setting", setting, below("Configuration", "settings")],
  ["an explanation", explanation, schemas["EventExplanation"]],
  ["an explained delivery", explained, below("EventExplanation", "deliveries")],
  [
    "its endpoint",
    endpointNow,
    below("EventExplanation", "deliveries", "endpoint"),
  ],
  [
    "its last attempt",
    lastAttempt,
    below("EventExplanation", "deliveries", "lastAttempt"),
  ],
  ["an arrival", arrival, below("EventExplanation", "arrival")],
  ["who it was sent to", sent, below("EventExplanation", "sent")],
  ["a next step", nextStep, below("EventExplanation", "next")],
  ["an audit entry", auditEntry, schemas["AuditEntry"]],
  ["a key", key, schemas["Key"]],
  ["a new key", newKey, schemas["KeyWithToken"]],
  ["encryption keys", encryptionKeys, schemas["EncryptionKeys"]],
  ["an encryption key", encryptionKey, below("EncryptionKeys", "keys")],
  ["a round of sealing anew", reencryption, schemas["Reencryption"]],
  ["what it could not open", failedSeal, below("Reencryption", "failed")],
  ["an event type", eventType, schemas["EventType"]],
  ["a policy", policy, schemas["EventTypePolicy"]],
  ["a saved query", savedQuery, query],
  ["a parameter", parameter, query?.properties?.["parameters"]?.items],
  ["a query's answer", queryAnswer, schemas["QueryAnswer"]],
])("the console reads of %s what control answers", (_, read, documented) => {
  const found = Object.fromEntries(
    Object.keys(read).map((name) => [
      name,
      kindsOf(documented?.properties?.[name]),
    ]),
  );

  expect(found).toEqual(read);
});

function itemsOf(schema: Schema | undefined, name: string): Schema | undefined {
  return schema?.properties?.[name]?.items;
}

test("the console's filter offers every outcome there is", () => {
  expect(OFFERED).toEqual(OUTCOMES);
});

test("the console's filter offers every reason there is", () => {
  expect(REASONS).toEqual(DEAD_LETTER_REASONS);
});

test.each(LEFT_OUT_REASONS)(
  "the console has a sentence for what is left out as %s",
  (reason) => {
    expect(leftOutSentence(reason)).not.toBe(`${reason.replaceAll("_", " ")}.`);
  },
);

test.each([
  ["subject", SUBJECTS],
  ["action", ACTIONS],
])("the audit log's filter offers every %s there is", (name, offered) => {
  const { parameters } = paths["/v1/audit"]!.get;
  const pattern = parameters.find((one) => one.name === name)?.schema.pattern;

  const one = `(${offered.join("|")})`;
  expect(pattern).toBe(`^${one}(,${one})*$`);
});

test("the API's list of deliveries takes each filter of the console", () => {
  const parameters = paths["/v1/deliveries"]?.["get"]?.parameters ?? [];

  expect(parameters.map(({ name }) => name)).toEqual(
    expect.arrayContaining([...FILTERS]),
  );
});

function kindsOf(schema: Schema = {}): readonly string[] {
  const { type, anyOf = [] } = schema;
  const own = type === undefined ? [] : [type].flat();
  return [...own, ...anyOf.flatMap(kindsOf)].toSorted();
}
