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
  keyRing: Pick<KeyRing, "open" | "kids">,
  log: Log,
): PublicKeyOf {
  /** Keyed by the SealedSecret object: the table returns the same object until the endpoint changes. */
  const known = new WeakMap<SealedSecret, string | null>();
  /** The secrets that did not open, with the keys that there were then: other keys may open them. */
  const closed = new WeakMap<SealedSecret, readonly string[]>();

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
    const found = known.get(secret);
    if (found !== undefined) return found;
    const kids = keyRing.kids();
    if (closed.get(secret) === kids) return undefined;
    const publicKey = derive(endpoint, secret);
    if (publicKey === undefined) closed.set(secret, kids);
    else known.set(secret, publicKey);
    return publicKey;
  };
}
