import { hash } from "node:crypto";

/** SHA-256 of the text's UTF-8 bytes: 32 bytes. Core makes ids and jitter from such hashes. */
export function sha256(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}
