import { hash } from "node:crypto";

/** SHA-256 of the text's UTF-8 bytes: 32 bytes. What core's ids and jitter are made of. */
export function sha256(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}
