/** The signature headers of one request, by the signing profiles of its target. */
import { SEALED_HEADERS, secretTypeOf } from "@postrider/core";
import { sign, signHmacHex, type ToSign } from "@postrider/signing";
import type { Signed } from "./request-headers.ts";

export type Signing =
  | ({ readonly kind: "signed" } & Signed)
  /** A profile cannot sign. Nothing is ever sent unsigned. */
  | {
      readonly kind: "unsigned";
      /** What is wrong and what to do, for people. Never contains a secret. */
      readonly problem: string;
    };

/**
 * Every profile signs, or none does: a receiver that misses the header it expects would refuse the request. The secrets are
 * those that are valid now, one or more, oldest first. Throws `SecretError` if one cannot be used.
 */
export function signaturesOf(
  profiles: readonly string[],
  toSign: ToSign,
): Signing {
  const { secrets, timestamp, body } = toSign;
  let signature: string | null = null;
  let hexSignature: string | null = null;
  for (const profile of profiles) {
    if (profile === "standard") signature = sign(toSign);
    else if (profile === "hmac-hex") {
      const secret = hexSecretOf(secrets);
      if (secret === undefined)
        return unsigned(
          "hmac-hex needs a secret that is not an ed25519 key; rotate to one, or change the endpoint's signing",
        );
      hexSignature = signHmacHex(body, secret);
    } else if (profile !== SEALED_HEADERS)
      return unsigned(
        "it has a signing profile that this version does not know; update the dispatcher",
      );
  }
  return signature === null && hexSignature === null
    ? unsigned("it has no signing profile; set the endpoint's signing")
    : { kind: "signed", timestamp, signature, hexSignature };
}

/**
 * The oldest secret, because a header of one value can follow one secret only. During a rotation a receiver that has not
 * changed keeps working until the old secret ends, as it was promised.
 */
function hexSecretOf(secrets: readonly string[]): string | undefined {
  return secrets.find((secret) => secretTypeOf(secret) === "hmac");
}

function unsigned(problem: string): Signing {
  return { kind: "unsigned", problem };
}
