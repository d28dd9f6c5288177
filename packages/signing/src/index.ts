export { sign, type ToSign } from "./sign.ts";
export {
  verify,
  type ToVerify,
  type Verification,
  type VerifyFailure,
} from "./verify.ts";
export { SecretError } from "./secret-key.ts";
