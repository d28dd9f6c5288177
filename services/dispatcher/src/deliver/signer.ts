/** Makes what a request must carry: its signatures, with every unexpired secret of the target, and the target's headers. Opened (plain) secrets are kept in memory only. */
import {
  secretAad,
  type Delivery,
  type EpochMs,
  type SealedSecret,
} from "@postrider/core";
import { KeyRingError, type KeyRing, type Log } from "@postrider/runtime";
import { SecretError } from "@postrider/signing";
import type { Target } from "./admit.ts";
import { KeptForEndpoint } from "./kept-for-endpoint.ts";
import { OpenedHeaders, SealedHeaderError } from "./opened-headers.ts";
import { signaturesOf, type Signing } from "./signatures.ts";

type Signed = Extract<Signing, { kind: "signed" }>;

export interface Signer {
  sign(
    delivery: Delivery,
    target: Target,
    now: EpochMs,
  ):
    | (Signed & { readonly headers: Readonly<Record<string, string>> })
    | Exclude<Signing, Signed>;
}

export function createSigner(keyRing: Pick<KeyRing, "open">, log: Log): Signer {
  const opened = new OpenedSecrets(keyRing);
  const headers = new OpenedHeaders(keyRing);
  return {
    sign(delivery, target, now) {
      const { tenantId, endpointId, webhookId: id, payload: body } = delivery;
      try {
        const secrets = opened.open(delivery, target, now);
        const timestamp = Math.floor(now / 1_000);
        const signing =
          secrets.length > 0
            ? signaturesOf(target.signing, { id, timestamp, body, secrets })
            : noSecret(target);
        if (signing.kind === "signed")
          return { ...signing, headers: headers.of(delivery, target) };
        const { problem } = signing;
        log.error("secret.missing", { tenantId, endpointId, problem });
        return signing;
      } catch (error) {
        log.error("secret.unavailable", { tenantId, endpointId, error });
        return { kind: "unsigned", problem: problemOf(error, target) };
      }
    },
  };
}

function noSecret(target: Target): Signing {
  const problem = `it has no secret that is valid now; ${remedy(target)}`;
  return { kind: "unsigned", problem };
}

function problemOf(error: unknown, target: Target): string {
  if (error instanceof SealedHeaderError) return error.message;
  // The message of any other error may contain details that must not go into a dead letter.
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
    : "give the endpoint a new secret (postrider endpoints rotate-secret ID --overlap 0)";
}

class OpenedSecrets {
  readonly #keyRing: Pick<KeyRing, "open">;
  readonly #opened = new KeptForEndpoint<SealedSecret, string>();

  constructor(keyRing: Pick<KeyRing, "open">) {
    this.#keyRing = keyRing;
  }

  /** Throws `KeyRingError` if one of the secrets does not open. */
  open(delivery: Delivery, target: Target, now: EpochMs): string[] {
    const secrets: string[] = [];
    for (const secret of target.secrets) {
      if (secret.expiresAt !== null && secret.expiresAt <= now) continue;
      // An inline destination's secret is sealed for each event alone, so keeping the opened one is of no use.
      secrets.push(
        target.isInline
          ? this.#openOne(secret, delivery)
          : this.#openKept(secret, delivery),
      );
    }
    return secrets;
  }

  #openKept(secret: SealedSecret, delivery: Delivery): string {
    const known = this.#opened.get(secret, delivery);
    if (known !== undefined) return known;
    const text = this.#openOne(secret, delivery);
    this.#opened.set(secret, delivery, text);
    return text;
  }

  #openOne(secret: SealedSecret, { tenantId, endpointId }: Delivery): string {
    const aad = secretAad(tenantId, endpointId, secret.id);
    return this.#keyRing.open(secret, aad).toString("utf8");
  }
}
