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
  Replay,
  ReplayPreview,
  SignalEntry,
} from "../services/console/src/api/answers.ts";
import {
  FILTERS,
  OUTCOMES as OFFERED,
} from "../services/console/src/deliveries/delivery-filters.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly const?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Operation {
  readonly parameters: readonly { readonly name: string }[];
}

const { components, paths } = JSON.parse(
  readFileSync(
    new URL("../docs/openapi/control.json", import.meta.url),
    "utf8",
  ),
) as {
  components: { schemas: Readonly<Record<string, Schema>> };
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

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
const preview: Kinds<ReplayPreview> = {
  selectedAt: text,
  total: whole,
  toSend: whole,
  leftOut: object,
};
const replay: Kinds<Replay> = {
  id: text,
  state: text,
  detail: textOrNull,
  total: whole,
  sent: whole,
  leftOut: object,
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
  ["a preview", preview, schemas["ReplayPreview"]],
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

test("the console's filter offers every outcome there is", () => {
  expect(OFFERED).toEqual(OUTCOMES);
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
