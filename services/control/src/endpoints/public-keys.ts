/**
 * The public keys of sealed ed25519 secrets. They are derived when they are asked for, and not stored: the record would
 * need a second copy of each key that has to agree with the first.
 */
import { secretAad, type Endpoint, type SealedSecret } from "@postrider/core";
import { KeyRingError, type KeyRing, type Log } from "@postrider/runtime";
import { publicKeyOf, SecretError } from "@postrider/signing";

/** The `whpk_…` of one of the endpoint's secrets; null of an HMAC secret; `undefined` of a secret that does not open (which is logged): its type is not known. */
export type PublicKeyOf = (
  endpoint: Pick<Endpoint, "id" | "tenantId">,
  secret: SealedSecret,
) => string | null | undefined;

export function createPublicKeys(
  keyRing: Pick<KeyRing, "open">,
  log: Log,
): PublicKeyOf {
  /** Keyed by the SealedSecret object: the table returns the same object until the endpoint changes. */
  const known = new WeakMap<SealedSecret, string | null | undefined>();

  function derive(
    { id, tenantId }: Pick<Endpoint, "id" | "tenantId">,
    secret: SealedSecret,
  ): string | null | undefined {
    try {
      const aad = secretAad(tenantId, id, secret.id);
      return publicKeyOf(keyRing.open(secret, aad).toString("utf8"));
    } catch (error) {
      if (!(error instanceof KeyRingError || error instanceof SecretError))
        throw error;
      const problem = error.message;
      log.warn("secret.unavailable", { endpointId: id, tenantId, problem });
      return undefined;
    }
  }

  return (endpoint, secret) => {
    if (known.has(secret)) return known.get(secret);
    const publicKey = derive(endpoint, secret);
    known.set(secret, publicKey);
    return publicKey;
  };
}
