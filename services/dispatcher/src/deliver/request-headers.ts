/** The headers of one request, as the flat list of names and values that undici takes. */
import type { Delivery } from "@postrider/core";

/** Headers that Postrider or HTTP itself sets. Validation refuses them in input; one that gets this far anyway is left out. */
const RESERVED =
  /^(webhook-.*|proxy-.*|host|content-length|content-type|content-encoding|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|user-agent|traceparent)$/i;

export interface Signed {
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly signature: string;
}

/** Postrider's headers first, then the event's, then the endpoint's. If event and endpoint set the same header, the endpoint's wins. */
export function requestHeaders(
  delivery: Pick<
    Delivery,
    "webhookId" | "contentType" | "traceparent" | "headers"
  >,
  endpointHeaders: Readonly<Record<string, string>>,
  { timestamp, signature }: Signed,
  userAgent: string,
): string[] {
  const headers = [
    "webhook-id",
    delivery.webhookId,
    "webhook-timestamp",
    String(timestamp),
    "webhook-signature",
    signature,
    "user-agent",
    userAgent,
    "content-type",
    delivery.contentType,
  ];
  if (delivery.traceparent !== null)
    headers.push("traceparent", delivery.traceparent);
  addHeaders(headers, delivery.headers, endpointHeaders);
  addHeaders(headers, endpointHeaders, NO_HEADERS);
  return headers;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

function addHeaders(
  to: string[],
  from: Readonly<Record<string, string>>,
  overriding: Readonly<Record<string, string>>,
): void {
  for (const name in from) {
    const value = from[name];
    if (value === undefined || RESERVED.test(name)) continue;
    if (!hasName(overriding, name)) to.push(name, value);
  }
}

function hasName(
  headers: Readonly<Record<string, string>>,
  name: string,
): boolean {
  const lower = name.toLowerCase();
  for (const each in headers) if (each.toLowerCase() === lower) return true;
  return false;
}
