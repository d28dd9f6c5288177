import {
  type Destination,
  type EpochMs,
  inlineEndpointId,
  inlineSecretId,
  type SealedSecret,
  secretAad,
} from "@postrider/core";
import { type KeyRing, sha256 } from "@postrider/runtime";

/** Whose destination it is. */
export interface DestinationOwner {
  readonly tenantId: string;
  readonly eventId: string;
}

/**
 * The endpoint id of a valid inline destination, and its secret under the key ring: sealed here, or already by the door.
 * The id of the secret belongs to the event, so that the ciphertext is of no use beside another.
 */
export function sealDestination(
  destination: Destination,
  owner: DestinationOwner,
  { keyRing, now }: { readonly keyRing: KeyRing; readonly now: EpochMs },
): { endpointId: string; sealedSecret: SealedSecret } {
  const { tenantId, eventId } = owner;
  const endpointId = inlineEndpointId(sha256, tenantId, destination.url);
  if (destination.secret === null && destination.sealedSecret !== null)
    return { endpointId, sealedSecret: destination.sealedSecret };
  const id = inlineSecretId(sha256, tenantId, eventId);
  const sealed = keyRing.seal(
    Buffer.from(destination.secret ?? "", "utf8"),
    secretAad(tenantId, endpointId, id),
  );
  return {
    endpointId,
    sealedSecret: { id, ...sealed, createdAt: now, expiresAt: null },
  };
}
