export { sign, signHmacHex, type ToSign } from "./sign.ts";
export {
  verify,
  type ToVerify,
  type Verification,
  type VerifyFailure,
} from "./verify.ts";
export type { GivenHeaders } from "./given-headers.ts";
export { publicKeyOf, SecretError } from "./secret-key.ts";
