import {
  type Destination,
  inlineEndpointId,
  type Problem,
  secretAad,
  secretProblem,
} from "@postrider/core";
import { type KeyRing, KeyRingError, sha256Text } from "@postrider/runtime";

const FIELD = "destination.sealedSecret";

/**
 * The problem of a destination's secret that came sealed: it does not open for this tenant and URL, or its plain text is not
 * a valid secret. The destination's URL must be valid. A key that the key ring lacks is not a problem: while a new key is
 * rolled out, the door may seal with it before route has it, and deliver waits for the key.
 */
export function sealedSecretProblem(
  destination: Destination,
  tenantId: string,
  keyRing: Pick<KeyRing, "open">,
): Problem | undefined {
  const { secret, sealedSecret, url } = destination;
  if (secret !== null || sealedSecret === null) return undefined;
  const endpointId = inlineEndpointId(sha256Text, tenantId, url);
  const aad = secretAad(tenantId, endpointId, sealedSecret.id);
  try {
    return secretProblem(FIELD, keyRing.open(sealedSecret, aad).toString());
  } catch (error) {
    if (!(error instanceof KeyRingError)) throw error;
    if (error.code === "UNKNOWN_KEY") return undefined;
    const message =
      "does not open: it was sealed for another tenant, URL or secret id, or its bytes have changed";
    return { field: FIELD, rule: "sealed", message };
  }
}
