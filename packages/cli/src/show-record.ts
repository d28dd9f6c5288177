import { isSecretHeader, REDACTED } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";

/** A record as `topics tail` prints it. */
export interface ShownRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The decoded value; null for a tombstone; a text or `base64:…` when it is not in a format of ours. */
  readonly value: unknown;
  /** Why the value could not be decoded; null when it could. */
  readonly error: string | null;
}

export function showRecord(
  raw: RawRecord,
  decoded: { readonly value: unknown; readonly error: string | null },
): ShownRecord {
  return {
    topic: raw.topic,
    partition: raw.partition,
    offset: raw.offset,
    timestamp: String(timeOf(raw.timestamp)),
    key: raw.key === null ? null : textOf(raw.key),
    headers: showHeaders(raw.headers),
    value: showable(decoded.value, ""),
    error: decoded.error,
  };
}

/**
 * Converts a value for printing. Fields named `…At` become RFC 3339; bytes become text if they are UTF-8, else `base64:…`.
 * Secrets, sealed or plain, are left out, and so are the values of secret headers.
 */
export function showable(value: unknown, name: string): unknown {
  if (name === "ciphertext") return "[sealed]";
  if (name === "secret" && value !== null) return REDACTED;
  if (typeof value === "number" && name.endsWith("At")) return timeOf(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return textOf(value);
  if (Array.isArray(value)) return value.map((item) => showable(item, name));
  if (typeof value !== "object" || value === null) return value;
  if (HEADERS.has(name)) return showHeaders(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, showable(inner, key)]),
  );
}

/** Names of the fields that contain headers. */
const HEADERS = new Set(["headers", "rawHeaders", "responseHeaders"]);

function showHeaders(headers: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isSecretHeader(name) ? REDACTED : showable(value, name),
    ]),
  );
}

/** A time as RFC 3339; a time beyond the range of a date, which only garbage has, stays a number. */
function timeOf(at: number): string | number {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : date.toISOString();
}

/** The bytes as text if they are UTF-8, else base64. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch {
    return `base64:${Buffer.from(bytes).toString("base64")}`;
  }
}
