/** Signs with every unexpired secret of a target. Plain secrets live in memory only. */
import {
  secretAad,
  type Delivery,
  type EpochMs,
  type SealedSecret,
} from "@postrider/core";
import { KeyRingError, type KeyRing, type Log } from "@postrider/runtime";
import { SecretError, sign } from "@postrider/signing";
import type { Target } from "./admit.ts";
import type { Signed } from "./request-headers.ts";

export type Signing =
  | ({ readonly kind: "signed" } & Signed)
  /** There is no secret to sign with, or one does not open: nothing is ever sent unsigned. */
  | {
      readonly kind: "unsigned";
      /** What is wrong and what to do, for people. It never holds a secret. */
      readonly problem: string;
    };

export interface Signer {
  sign(delivery: Delivery, target: Target, now: EpochMs): Signing;
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
          return { kind: "signed", timestamp, signature: sign(toSign) };
        }
        log.error("secret.missing", { tenantId, endpointId });
        return {
          kind: "unsigned",
          problem: `it has no secret that is valid now; ${remedy(target)}`,
        };
      } catch (error) {
        log.error("secret.unavailable", { tenantId, endpointId, error });
        return { kind: "unsigned", problem: problemOf(error, target) };
      }
    },
  };
}

function problemOf(error: unknown, target: Target): string {
  // What else is thrown may say more than is meant for a dead letter.
  if (!(error instanceof KeyRingError || error instanceof SecretError))
    return `its secret could not be used; ${remedy(target)}`;
  const what = `its secret could not be used: ${error.message}`;
  return error.code === "UNKNOWN_KEY"
    ? `${what}; add that key to the dispatcher's POSTRIDER_ENCRYPTION_KEYS, or ${remedy(target)}`
    : `${what}; ${remedy(target)}`;
}

function remedy({ isInline }: Target): string {
  return isInline
    ? "publish the event again"
    : "give the endpoint a new secret";
}

class OpenedSecrets {
  readonly #keyRing: Pick<KeyRing, "open">;
  /** By the sealed secret itself: the table gives the same object until the endpoint changes. */
  readonly #opened = new WeakMap<SealedSecret, OpenedSecret>();

  constructor(keyRing: Pick<KeyRing, "open">) {
    this.#keyRing = keyRing;
  }

  /** Throws `KeyRingError` when one of them does not open. */
  open(delivery: Delivery, target: Target, now: EpochMs): string[] {
    const secrets: string[] = [];
    for (const secret of target.secrets) {
      if (secret.expiresAt !== null && secret.expiresAt <= now) continue;
      // An inline destination's secret is sealed anew for each event: not worth keeping.
      secrets.push(
        target.isInline
          ? this.#openOne(secret, delivery)
          : this.#openKept(secret, delivery),
      );
    }
    return secrets;
  }

  #openKept(secret: SealedSecret, delivery: Delivery): string {
    const { tenantId, endpointId } = delivery;
    const known = this.#opened.get(secret);
    // What was opened for one endpoint is not open for another: its AAD is another.
    if (known?.tenantId === tenantId && known.endpointId === endpointId)
      return known.text;
    const text = this.#openOne(secret, delivery);
    this.#opened.set(secret, { tenantId, endpointId, text });
    return text;
  }

  #openOne(secret: SealedSecret, { tenantId, endpointId }: Delivery): string {
    const aad = secretAad(tenantId, endpointId, secret.id);
    return this.#keyRing.open(secret, aad).toString("utf8");
  }
}

interface OpenedSecret {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly text: string;
}
