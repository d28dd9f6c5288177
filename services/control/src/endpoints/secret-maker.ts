import { generateKeyPairSync, randomBytes } from "node:crypto";
import { secretAad, type SealedSecret, type SecretType } from "@postrider/core";
import type { Clock, KeyRing } from "@postrider/runtime";

/** Makes and seals signing secrets. */
export interface SecretMaker {
  /** Seals the given secret, or a new one of the given type in the form of Standard Webhooks. */
  make(
    tenantId: string,
    endpointId: string,
    wanted: { readonly secret: string } | { readonly type: SecretType },
  ): { readonly plain: string; readonly sealed: SealedSecret };
}

export function createSecretMaker(keyRing: KeyRing, clock: Clock): SecretMaker {
  return {
    make(tenantId, endpointId, wanted) {
      const plain =
        "secret" in wanted ? wanted.secret : NEW_SECRET[wanted.type]();
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

const NEW_SECRET = {
  /** 24 bytes. */
  hmac: () => `whsec_${randomBytes(24).toString("base64")}`,
  /** The seed, then the public key: 64 bytes. */
  ed25519() {
    const { privateKey } = generateKeyPairSync("ed25519");
    const { d = "", x = "" } = privateKey.export({ format: "jwk" });
    const bytes = [d, x].map((half) => Buffer.from(half, "base64url"));
    return `whsk_${Buffer.concat(bytes).toString("base64")}`;
  },
} as const satisfies Readonly<Record<SecretType, () => string>>;
