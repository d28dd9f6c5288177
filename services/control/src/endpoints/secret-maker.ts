import { randomBytes } from "node:crypto";
import { secretAad, type SealedSecret } from "@postrider/core";
import type { Clock, KeyRing } from "@postrider/runtime";

/** Makes and seals signing secrets. */
export interface SecretMaker {
  /** When `given` is null, makes a new secret: `whsec_` and the base64 of 24 random bytes, the form of Standard Webhooks. */
  make(
    tenantId: string,
    endpointId: string,
    given: string | null,
  ): { readonly plain: string; readonly sealed: SealedSecret };
}

export function createSecretMaker(keyRing: KeyRing, clock: Clock): SecretMaker {
  return {
    make(tenantId, endpointId, given) {
      const plain = given ?? `whsec_${randomBytes(24).toString("base64")}`;
      const id = `sec_${randomBytes(12).toString("base64url")}`;
      const aad = secretAad(tenantId, endpointId, id);
      const { kid, ciphertext } = keyRing.seal(Buffer.from(plain), aad);
      const createdAt = clock.now();
      return {
        plain,
        sealed: { id, kid, ciphertext, createdAt, expiresAt: null },
      };
    },
  };
}
