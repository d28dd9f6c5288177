/** The fields of an endpoint's form: what each is called, how its value is written as a text, and how the text is read. */
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { exactDuration } from "../shown/durations.ts";
import {
  duration,
  durations,
  headers,
  number,
  numbers,
  orNull,
  rateLimit,
  text,
  words,
  type ReadText,
} from "./read-text.ts";

export interface Field {
  readonly label: string;
  readonly hint?: string;
  readonly shown: (endpoint: EndpointSettings) => string;
  readonly read: ReadText;
  /** Several lines, or one of these. */
  readonly form?: "lines" | readonly string[];
  /** Only of an endpoint that is to be made: nothing changes it later. */
  readonly isForCreation?: boolean;
  readonly isSecret?: boolean;
}

const numberText = (value: number | null): string =>
  value === null ? "" : String(value);
const durationText = (value: number | null): string =>
  value === null ? "" : exactDuration(value);

/** What people set first. */
export const FIRST = {
  url: {
    label: "URL",
    hint: "Where its requests go, such as https://example.com/hooks",
    shown: ({ url }) => url,
    read: text,
  },
  eventTypes: {
    label: "Event types",
    hint: "What it wants: order.paid, order.*, or * for all; with commas between",
    form: "lines",
    shown: ({ eventTypes }) => eventTypes.join(", "),
    read: words,
  },
  description: {
    label: "Description",
    shown: ({ description }) => description,
    read: text,
  },
  tenantId: {
    label: "Tenant",
    shown: ({ tenantId }) => tenantId,
    read: text,
    isForCreation: true,
  },
} as const satisfies Record<string, Field>;

/** The rest. Each has a default that fits most. */
export const MORE = {
  filter: {
    label: "Filter",
    hint: "A CEL expression over event and payload, such as payload.total > 100; empty: all of its types",
    form: "lines",
    shown: ({ filter }) => filter ?? "",
    read: orNull(text),
  },
  externalId: {
    label: "Your own id",
    hint: "Once per tenant",
    shown: ({ externalId }) => externalId ?? "",
    read: orNull(text),
  },
  method: {
    label: "Method",
    form: ["POST", "PUT", "PATCH"],
    shown: ({ method }) => method,
    read: text,
  },
  headers: {
    label: "Headers",
    hint: "Name: value, one on each line. [redacted] stands for a value that is kept",
    form: "lines",
    shown: (endpoint) =>
      Object.entries(endpoint.headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n"),
    read: headers,
  },
  signing: {
    label: "Signatures",
    hint: "Which signature headers its requests carry",
    form: ["standard", "hmac-hex", "standard, hmac-hex"],
    shown: ({ signing }) => signing.join(", "),
    read: words,
  },
  timeoutMs: {
    label: "Time for one attempt",
    hint: "1s to 60s, from DNS to the last byte",
    shown: ({ timeoutMs }) => exactDuration(timeoutMs),
    read: duration,
  },
  maxConcurrency: {
    label: "Requests at once",
    hint: "1 to 1000",
    shown: ({ maxConcurrency }) => String(maxConcurrency),
    read: number,
  },
  rateLimit: {
    label: "Rate limit",
    hint: "Attempts in a second, and after a comma how many at once: 50, 100; empty: no limit",
    shown: ({ rateLimit: limit }) =>
      limit === null ? "" : `${limit.perSecond}, ${limit.burst}`,
    read: orNull(rateLimit),
  },
  retryDelaysMs: {
    label: "Waits between attempts",
    hint: "30s, 5m, 1h, or standard-webhooks; empty: the built-in waits",
    shown: ({ retryDelaysMs }) =>
      (retryDelaysMs ?? []).map(exactDuration).join(", "),
    read: orNull(durations),
  },
  maxAttempts: {
    label: "Most attempts",
    hint: "1 to 100, the first included; empty: one more than waits",
    shown: ({ maxAttempts }) => numberText(maxAttempts),
    read: orNull(number),
  },
  maxAgeMs: {
    label: "Maximum age",
    hint: "No attempt of a delivery that is older, such as 72h; empty: the default",
    shown: ({ maxAgeMs }) => durationText(maxAgeMs),
    read: orNull(duration),
  },
  notRetryableStatuses: {
    label: "Statuses that end a delivery at once",
    hint: "300 to 599, with commas between: 400, 422",
    shown: ({ notRetryableStatuses }) => notRetryableStatuses.join(", "),
    read: numbers,
  },
  secretType: {
    label: "Type of the secret",
    hint: "What is made for you",
    form: ["hmac", "ed25519"],
    shown: () => "",
    read: text,
    isForCreation: true,
  },
  secret: {
    label: "Your own secret",
    hint: "Empty: one is made, and shown once",
    shown: () => "",
    read: text,
    isForCreation: true,
    isSecret: true,
  },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof FIRST | keyof typeof MORE;

export const FIELDS: Readonly<Record<FieldName, Field>> = { ...FIRST, ...MORE };
export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[]; // its keys are the names
