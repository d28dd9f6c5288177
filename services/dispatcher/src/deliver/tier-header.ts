/**
 * The Kafka header that says in which tier a delivery waits. hold passes headers on, so that the metrics of the attempt after
 * the wait can tell it. Nothing is decided by this header.
 */
import type { Tier } from "@postrider/core";
import type { RecordHeaders } from "@postrider/messaging";

const NAME = "postrider-tier";

/** The headers of a delivery whose wait begins in this tier. */
export function tierHeaders(tier: Tier): RecordHeaders {
  return { [NAME]: Buffer.from(tier.name) };
}

/** The tier in which the wait of this delivery began: `none` if it did not wait, `other` if it is none of `tiers`. A closed list, for a label. */
export function tierOf(headers: RecordHeaders, tiers: readonly Tier[]): string {
  const given = headers[NAME];
  if (given === undefined) return "none";
  const name = given.toString();
  return tiers.some((tier) => tier.name === name) ? name : "other";
}
