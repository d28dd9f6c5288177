import type { Endpoint, Problem } from "@postrider/core";
import { invalid } from "@postrider/http";
import type { PublicKeyOf } from "./public-keys.ts";

/** The header that the profile `hmac-hex` sets. */
const HEX_SIGNATURE = "x-webhook-signature";

/**
 * Why an endpoint cannot be signed for as its `signing` says; empty when it can. `newestIsEd25519` is about the secret that
 * stays when the others have expired.
 */
export function signingProblems(endpoint: {
  readonly signing: readonly string[];
  /** Their names count alone. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly newestIsEd25519: boolean;
}): Problem[] {
  if (!endpoint.signing.includes("hmac-hex")) return [];
  const problems: Problem[] = [];
  if (endpoint.newestIsEd25519)
    problems.push({
      field: "signing",
      rule: "hmac_secret",
      message: "hmac-hex needs a secret that is not an ed25519 key",
    });
  for (const name of Object.keys(endpoint.headers))
    if (name.toLowerCase() === HEX_SIGNATURE)
      problems.push({
        field: `headers.${name}`,
        rule: "refused_name",
        message: "hmac-hex sets this header",
      });
  return problems;
}

/**
 * Throws a `ProblemError` if the endpoint, as it would be stored, cannot be signed for as its `signing` says. A secret that does
 * not open is not judged: otherwise an endpoint could not even be disabled by a change while its key is missing.
 */
export function requireSignable(
  endpoint: Endpoint,
  publicKeyOf: PublicKeyOf,
): void {
  const newest = endpoint.secrets.at(-1);
  const publicKey = newest && publicKeyOf(endpoint, newest);
  const newestIsEd25519 = typeof publicKey === "string";
  const headers = { ...endpoint.headers, ...endpoint.sealedHeaders };
  const problems = signingProblems({ ...endpoint, headers, newestIsEd25519 });
  if (problems.length > 0) throw invalid(problems);
}
