import type { Fields } from "./fields.ts";
import { isJsonContentType } from "./content-type.ts";
import { isString } from "./json-spans.ts";
import { type Problem, ProblemList } from "./problem.ts";
import type { Destination, WebhookEvent } from "./records.ts";
import {
  attemptsOf,
  MAX_INLINE_ATTEMPTS,
  RETRY_PRESETS,
  retryPreset,
} from "./retry-schedule.ts";
import { type EpochMs, parseTime } from "./time.ts";
import { decodeUtf8, encodeUtf8 } from "./web-globals.ts";

/** The fields of an envelope, but for `payload`, whose bytes are passed on as they are. Any other field is ignored. The type is that of an event, so that no field of it is forgotten here. */
const FIELDS: Readonly<Record<Exclude<keyof WebhookEvent, "payload">, true>> = {
  id: true,
  type: true,
  tenantId: true,
  occurredAt: true,
  contentType: true,
  destination: true,
  notBefore: true,
  expiresAt: true,
  headers: true,
  traceparent: true,
  tracestate: true,
};
const FIELD_NAMES: ReadonlySet<string> = new Set(Object.keys(FIELDS));

export function isEnvelopeField(name: string): boolean {
  return FIELD_NAMES.has(name);
}

export const DEFAULT_CONTENT_TYPE = "application/json";
export const DEFAULT_MAX_ATTEMPTS = 5;
export const DEFAULT_TIMEOUT_SECONDS = 30;

/**
 * Builds the event from parsed JSON fields, and lists every field of the wrong type. `rawPayload` is the payload's bytes,
 * cut out of the JSON text. A null counts as absent.
 */
export function readEnvelope(
  fields: Fields,
  rawPayload: Uint8Array | undefined,
): { event: WebhookEvent; problems: Problem[] } {
  const read = new FieldReader(fields, "");
  const contentType = read.text("contentType") ?? DEFAULT_CONTENT_TYPE;
  const event: WebhookEvent = {
    id: read.text("id") ?? "",
    type: read.text("type") ?? "",
    tenantId: read.text("tenantId"),
    occurredAt: read.time("occurredAt"),
    contentType,
    payload: read.payload(rawPayload, contentType),
    destination: readDestination(read),
    notBefore: read.time("notBefore"),
    expiresAt: read.time("expiresAt"),
    headers: read.texts("headers"),
    traceparent: read.text("traceparent"),
    tracestate: read.text("tracestate"),
  };
  return { event, problems: read.problems.list() };
}

function readDestination(read: FieldReader): Destination | null {
  const inner = read.object("destination");
  if (inner === null) return null;
  const retryDelaysMs = inner.delays("retryDelaysMs");
  const destination: Destination = {
    url: inner.text("url") ?? "",
    secret: inner.text("secret"),
    sealedSecret: null,
    maxAttempts:
      inner.integer("maxAttempts") ??
      (retryDelaysMs === null
        ? DEFAULT_MAX_ATTEMPTS
        : Math.min(attemptsOf(retryDelaysMs), MAX_INLINE_ATTEMPTS)),
    timeoutSeconds: inner.integer("timeoutSeconds") ?? DEFAULT_TIMEOUT_SECONDS,
    retryDelaysMs,
    maxAgeMs: inner.integer("maxAgeMs"),
    notRetryableStatuses: inner.integers("notRetryableStatuses") ?? [],
  };
  read.problems.addAll(inner.problems.list());
  return destination;
}

/** Reads fields one by one and collects what has the wrong type. */
class FieldReader {
  readonly problems = new ProblemList();
  readonly #fields: Fields;
  readonly #path: string;

  constructor(fields: Fields, path: string) {
    this.#fields = fields;
    this.#path = path;
  }

  text(name: string): string | null {
    const value = this.#take(name);
    if (value === null || typeof value === "string") return value;
    return this.#wrong(name, "must be a string");
  }

  integer(name: string): number | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (Number.isSafeInteger(value)) return value as number; // isSafeInteger has just tested it
    return this.#wrong(name, "must be an integer");
  }

  integers(name: string): number[] | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (!Array.isArray(value)) return this.#wrong(name, "must be a list");
    const wrongAt = value.findIndex((each) => !Number.isSafeInteger(each));
    if (wrongAt < 0) return value as number[]; // isSafeInteger has just tested each
    return this.#wrong(`${name}[${wrongAt}]`, "must be an integer");
  }

  /** Waits in ms, or the name of a preset. */
  delays(name: string): readonly number[] | null {
    const value = this.#take(name);
    if (typeof value !== "string") return this.integers(name);
    const preset = retryPreset(value);
    if (preset !== undefined) return preset;
    const names = Object.keys(RETRY_PRESETS).join(", ");
    return this.#wrong(
      name,
      `must be a list of ms, or one of ${names}`,
      "preset",
    );
  }

  time(name: string): EpochMs | null {
    const value = this.#take(name);
    if (value === null) return null;
    const at = parseTime(value);
    if (at !== undefined) return at;
    const message =
      "must be an RFC 3339 time or epoch milliseconds, from 1970 to 2199";
    return this.#wrong(name, message, "time");
  }

  texts(name: string): Record<string, string> {
    const inner = this.object(name);
    if (inner === null) return {};
    const names = Object.keys(inner.#fields);
    const pairs = names.map((key) => [key, inner.text(key) ?? ""] as const);
    this.problems.addAll(inner.problems.list());
    return Object.fromEntries(pairs);
  }

  object(name: string): FieldReader | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (typeof value !== "object" || Array.isArray(value))
      return this.#wrong(name, "must be an object");
    return new FieldReader(value as Fields, `${this.#path}${name}.`); // just tested: an object and not an array
  }

  payload(raw: Uint8Array | undefined, contentType: string): Uint8Array {
    if (raw === undefined) {
      this.#wrong("payload", "a payload is required", "required");
      return new Uint8Array();
    }
    if (isJsonContentType(contentType) || !isString(raw, 0)) return raw;
    const value = JSON.parse(decodeUtf8(raw) ?? '""') as string; // a string literal parses to a string
    if (!value.isWellFormed())
      this.#wrong("payload", "holds half of a surrogate pair", "characters");
    return encodeUtf8(value);
  }

  #take(name: string): unknown {
    return Object.hasOwn(this.#fields, name)
      ? (this.#fields[name] ?? null)
      : null;
  }

  #wrong(name: string, message: string, rule = "type"): null {
    this.problems.add({ field: `${this.#path}${name}`, rule, message });
    return null;
  }
}
