/** Signs with every unexpired secret of a target. Plain secrets live in memory only. */
import {
  secretAad,
  type Delivery,
  type EpochMs,
  type SealedSecret,
} from "@postrider/core";
import type { Log } from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";
import { sign } from "@postrider/signing";
import type { Target } from "./admit.ts";
import type { Signed } from "./request-headers.ts";

const MAX_CACHED = 10_000;

export interface Signer {
  /** Null when there is no secret to sign with, or one does not open: nothing is ever sent unsigned. */
  sign(delivery: Delivery, target: Target, now: EpochMs): Signed | null;
}

export function createSigner(keyRing: Pick<KeyRing, "open">, log: Log): Signer {
  const opened = new OpenedSecrets(keyRing);
  return {
    sign(delivery, target, now) {
      const { tenantId, endpointId, webhookId, payload } = delivery;
      try {
        const secrets = opened.open(delivery, target, now);
        if (secrets.length > 0) {
          const timestamp = Math.floor(now / 1_000);
          const toSign = { id: webhookId, timestamp, body: payload, secrets };
          return { timestamp, signature: sign(toSign) };
        }
        log.error("secret.missing", { tenantId, endpointId });
      } catch (error) {
        log.error("secret.unavailable", { tenantId, endpointId, error });
      }
      return null;
    },
  };
}

class OpenedSecrets {
  readonly #keyRing: Pick<KeyRing, "open">;
  readonly #opened = new Map<string, string>();

  constructor(keyRing: Pick<KeyRing, "open">) {
    this.#keyRing = keyRing;
  }

  /** Throws `KeyRingError` when one of them does not open. */
  open(delivery: Delivery, target: Target, now: EpochMs): string[] {
    const secrets: string[] = [];
    for (const secret of target.secrets) {
      if (secret.expiresAt !== null && secret.expiresAt <= now) continue;
      const { tenantId, endpointId } = delivery;
      const aad = secretAad(tenantId, endpointId, secret.id);
      // An inline destination's secret is sealed anew for each event: not worth keeping.
      secrets.push(
        target.isInline
          ? this.#openOne(secret, aad)
          : this.#openCached(secret, aad),
      );
    }
    return secrets;
  }

  /** The key has the AAD in it: what was opened for one endpoint is not open for another. */
  #openCached(secret: SealedSecret, aad: string): string {
    const key = `${aad}\n${secret.kid}\n${latin1(secret.ciphertext)}`;
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const opened = this.#openOne(secret, aad);
    if (this.#opened.size >= MAX_CACHED) this.#opened.clear();
    this.#opened.set(key, opened);
    return opened;
  }

  #openOne(secret: SealedSecret, aad: string): string {
    return this.#keyRing.open(secret, aad).toString("utf8");
  }
}

function latin1(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
