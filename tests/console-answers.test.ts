/** The console declares what it reads of control's answers itself, because a service imports no other. Here both meet: every field that it reads is in control's document, and may be null exactly where the document lets it. */
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { OUTCOMES } from "@postrider/core";
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
  EndpointPreview,
  Replay,
  ReplayPreview,
  ReplaySelection,
} from "../services/console/src/api/answers-replays.ts";
import type {
  EndpointPage,
  EndpointSecret,
  EndpointSettings,
  EndpointWithSecret,
  HealthGroup,
  HealthSeries,
  Resume,
  TestSend,
} from "../services/console/src/api/answers-endpoints.ts";
import { LEFT_OUT_REASONS } from "../services/control/src/replays/replay.ts";
import { leftOutSentence } from "../services/console/src/shown/sentences.ts";
import { OUTCOMES as OFFERED } from "../services/console/src/deliveries/delivery-filters.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly const?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const { components } = JSON.parse(
  readFileSync(
    new URL("../docs/openapi/control.json", import.meta.url),
    "utf8",
  ),
) as { components: { schemas: Readonly<Record<string, Schema>> } };

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
    ? "integer"
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
const list = ["array"] as const;
const settings: Kinds<EndpointSettings> = {
  ...endpoint,
  externalId: textOrNull,
  tenantId: text,
  eventTypes: list,
  filter: textOrNull,
  secrets: list,
  signing: list,
  timeoutMs: whole,
  maxConcurrency: whole,
  rateLimit: ["null", "object"],
  retryDelaysMs: ["array", "null"],
  maxAttempts: wholeOrNull,
  maxAgeMs: wholeOrNull,
  notRetryableStatuses: list,
  version: whole,
  createdAt: text,
  updatedAt: text,
};
const withSecret: Kinds<EndpointWithSecret> = { ...settings, secret: text };
const endpointPage: Kinds<EndpointPage> = {
  endpoints: list,
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
const health: Kinds<HealthSeries> = { groups: list };
const healthGroup: Kinds<HealthGroup> = {
  key: textOrNull,
  attempts: whole,
  delivered: whole,
};
const preview: Kinds<ReplayPreview> = {
  selectedAt: text,
  total: whole,
  toSend: whole,
  leftOut: object,
  ratePerSecond: whole,
  seconds: whole,
  endpointCount: whole,
  endpoints: list,
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
  deliveryIds: list,
  sql: textOrNull,
  endpointId: textOrNull,
  eventTypes: list,
  statuses: list,
  reasons: list,
  statusCode: wholeOrNull,
  receivedSince: textOrNull,
  receivedUntil: textOrNull,
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

const schemas = components.schemas;

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
  ["an endpoint's settings", settings, schemas["Endpoint"]],
  ["an endpoint with a secret", withSecret, schemas["EndpointWithSecret"]],
  ["a page of endpoints", endpointPage, schemas["EndpointPage"]],
  ["a secret's facts", endpointSecret, itemsOf(schemas["Endpoint"], "secrets")],
  ["a resume", resume, schemas["Resume"]],
  ["a test event", testSend, schemas["TestSend"]],
  ["a series by endpoint", health, schemas["Series"]],
  [
    "a group of a series by endpoint",
    healthGroup,
    itemsOf(schemas["Series"], "groups"),
  ],
  ["a preview", preview, schemas["ReplayPreview"]],
  [
    "an endpoint in a preview",
    endpointPreview,
    schemas["ReplayPreview"]?.properties?.["endpoints"]?.items,
  ],
  ["what a replay selects", selection, schemas["ReplaySelection"]],
  ["a replay", replay, schemas["Replay"]],
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

test.each(LEFT_OUT_REASONS)(
  "the console has a sentence for what is left out as %s",
  (reason) => {
    expect(leftOutSentence(reason)).not.toBe(`${reason.replaceAll("_", " ")}.`);
  },
);

function kindsOf(schema: Schema = {}): readonly string[] {
  const { type, anyOf = [] } = schema;
  const own = type === undefined ? [] : [type].flat();
  return [...own, ...anyOf.flatMap(kindsOf)].toSorted();
}
