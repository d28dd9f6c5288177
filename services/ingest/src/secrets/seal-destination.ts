import {
  type Destination,
  type EpochMs,
  inlineEndpointId,
  inlineSecretId,
  type SealedSecret,
  secretAad,
} from "@postrider/core";
import { type KeyRing, sha256Text } from "@postrider/runtime";

/** The tenant and event of a destination. */
export interface DestinationOwner {
  readonly tenantId: string;
  readonly eventId: string;
}

/**
 * The endpoint id of a valid inline destination, and its sealed secret: sealed here, or already by the door. The secret's
 * id is made from the event and is part of the AAD, so the ciphertext cannot be used for another event.
 */
export function sealDestination(
  destination: Destination,
  owner: DestinationOwner,
  { keyRing, now }: { readonly keyRing: KeyRing; readonly now: EpochMs },
): { endpointId: string; sealedSecret: SealedSecret } {
  const { tenantId, eventId } = owner;
  const endpointId = inlineEndpointId(sha256Text, tenantId, destination.url);
  if (destination.secret === null && destination.sealedSecret !== null)
    return { endpointId, sealedSecret: destination.sealedSecret };
  const id = inlineSecretId(sha256Text, tenantId, eventId);
  const sealed = keyRing.seal(
    Buffer.from(destination.secret ?? "", "utf8"),
    secretAad(tenantId, endpointId, id),
  );
  return {
    endpointId,
    sealedSecret: { id, ...sealed, createdAt: now, expiresAt: null },
  };
}
