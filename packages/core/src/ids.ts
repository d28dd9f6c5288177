import { parseUrl } from "./web-globals.ts";

/** SHA-256 of a text's UTF-8 bytes: 32 bytes. The package `runtime` implements it, because core uses no platform code. */
export type Sha256 = (text: string) => Uint8Array;

/** The same hash in base64url without padding: 43 letters. Platforms make this text much faster than we could from the bytes. */
export type Sha256Text = (text: string) => string;

/** Names one event to one endpoint. */
export interface DeliveryKey {
  readonly tenantId: string;
  readonly eventId: string;
  readonly endpointId: string;
  /** The replay that sends the event again; part of the key, so that each replay makes a delivery of its own. */
  readonly replayId: string | null;
}

/** The delivery's id: `dlv_` and a hash of the key. The same event routed twice gets the same delivery id. */
export function deliveryIdOf(sha256: Sha256Text, key: DeliveryKey): string {
  return idOf(sha256, "dlv_", [
    key.tenantId,
    key.eventId,
    key.endpointId,
    key.replayId ?? "",
  ]);
}

/**
 * The `webhook-id` header: the same in every attempt, redrive and replay. It contains no `.`, because `.` separates the signed
 * parts. A hash of its own, though the first delivery's key has the same parts: the prefix is hashed, too, and ids that were given out must
 * stay what they are, or a delivery routed again after an upgrade would be another one.
 */
export function webhookIdOf(
  sha256: Sha256Text,
  key: Omit<DeliveryKey, "replayId">,
): string {
  return idOf(sha256, "msg_", [key.tenantId, key.eventId, key.endpointId]);
}

/**
 * The endpoint id of an inline destination: one per tenant and origin. So all URLs of one host share one partition and
 * one lane, whatever their paths. Throws `TypeError` if the URL does not parse: call `judgeUrl` first.
 */
export function inlineEndpointId(
  sha256: Sha256Text,
  tenantId: string,
  url: string,
): string {
  const parsed = parseUrl(url);
  if (parsed === null) throw new TypeError("The URL does not parse.");
  return idOf(sha256, "inline_", [tenantId, parsed.origin]);
}

/** The event id made from an `Idempotency-Key`. A hash, so that every replica of the door gives the same id without a shared store. */
export function eventIdOfKey(
  sha256: Sha256Text,
  tenantId: string,
  idempotencyKey: string,
): string {
  return idOf(sha256, "evt_", [tenantId, idempotencyKey]);
}

/** The secret id of an inline destination. It depends on the event, so a sealed secret cannot be moved to another event. */
export function inlineSecretId(
  sha256: Sha256Text,
  tenantId: string,
  eventId: string,
): string {
  return idOf(sha256, "sec_", [tenantId, eventId]);
}

/** The additional authenticated data under which a secret is sealed. None of the three ids may contain a `/`. */
export function secretAad(
  tenantId: string,
  endpointId: string,
  secretId: string,
): string {
  return `${tenantId}/${endpointId}/${secretId}`;
}

/** The additional authenticated data under which the value of an endpoint's request header is sealed. A header is one whatever the case of its name. */
export function headerAad(
  tenantId: string,
  endpointId: string,
  name: string,
): string {
  return `header/${tenantId}/${endpointId}/${name.toLowerCase()}`;
}

/** The additional authenticated data under which a dead letter's unreadable value is sealed: the record's topic, partition and offset. */
export function rawValueAad(record: {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}): string {
  return `raw/${record.topic}/${record.partition}/${record.offset}`;
}

/** 144 bits: 18 bytes of the hash. */
const ID_LETTERS = 24;

/** No part may contain a line feed: it separates the parts, so two different lists could give the same hash. Validation refuses control characters. */
function idOf(
  sha256: Sha256Text,
  prefix: string,
  parts: readonly string[],
): string {
  const hash = sha256(`${prefix}\n${parts.join("\n")}`);
  return prefix + hash.slice(0, ID_LETTERS);
}
