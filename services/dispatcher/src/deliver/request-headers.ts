/** The headers of one request, as the flat list of names and values that undici takes. */
import type { Delivery } from "@postrider/core";

/** Headers that Postrider or HTTP itself sets. Validation refuses them in input; one that gets this far anyway is left out. */
const RESERVED =
  /^(webhook-.*|proxy-.*|host|content-length|content-type|content-encoding|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|user-agent|traceparent)$/i;

/** The header of the profile `hmac-hex`. Without that profile its name is free for others to set. */
const HEX_SIGNATURE = "x-webhook-signature";

export interface Signed {
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Of the profile `standard`; null without it. */
  readonly signature: string | null;
  /** Of the profile `hmac-hex`; null without it. */
  readonly hexSignature: string | null;
}

/**
 * Postrider's headers first, then the event's, then the endpoint's. If event and endpoint set the same header, the
 * endpoint's wins. Nobody sets a header that Postrider does.
 */
export function requestHeaders(
  delivery: Pick<
    Delivery,
    "webhookId" | "contentType" | "traceparent" | "headers"
  >,
  endpointHeaders: Readonly<Record<string, string>>,
  signed: Signed,
  userAgent: string,
): string[] {
  const headers = [
    "webhook-id",
    delivery.webhookId,
    "webhook-timestamp",
    String(signed.timestamp),
  ];
  if (signed.signature !== null)
    headers.push("webhook-signature", signed.signature);
  if (signed.hexSignature !== null)
    headers.push(HEX_SIGNATURE, signed.hexSignature);
  headers.push("user-agent", userAgent, "content-type", delivery.contentType);
  if (delivery.traceparent !== null)
    headers.push("traceparent", delivery.traceparent);
  const isHexSigned = signed.hexSignature !== null;
  addHeaders(headers, delivery.headers, endpointHeaders, isHexSigned);
  addHeaders(headers, endpointHeaders, NO_HEADERS, isHexSigned);
  return headers;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

function addHeaders(
  to: string[],
  from: Readonly<Record<string, string>>,
  overriding: Readonly<Record<string, string>>,
  isHexSigned: boolean,
): void {
  for (const name in from) {
    const value = from[name];
    if (value === undefined || RESERVED.test(name)) continue;
    if (isHexSigned && name.toLowerCase() === HEX_SIGNATURE) continue;
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
