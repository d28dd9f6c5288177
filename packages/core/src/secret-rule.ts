import type { Problem } from "./problem.ts";

const MAX_LENGTH = 1_024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * What is wrong with a signing secret: `whsec_` and base64, or any other non-empty text. `whsk_` (ed25519) is refused
 * until `v1a` can be signed. The message never repeats the secret.
 */
export function secretProblem(
  field: string,
  secret: string,
): Problem | undefined {
  if (secret === "")
    return { field, rule: "required", message: "a signing secret is required" };
  if (secret.length > MAX_LENGTH)
    return {
      field,
      rule: "length",
      message: `at most ${MAX_LENGTH} characters`,
    };
  if (secret.startsWith("whsk_"))
    return {
      field,
      rule: "unsupported",
      message: "whsk_ secrets (ed25519, v1a) are not supported yet",
    };
  if (secret.startsWith("whsec_")) {
    const text = secret.slice("whsec_".length);
    const isBase64 =
      BASE64.test(text) && text.replace(/=+$/, "").length % 4 !== 1;
    if (!isBase64)
      return {
        field,
        rule: "base64",
        message: "what follows whsec_ must be base64",
      };
  }
  return undefined;
}
