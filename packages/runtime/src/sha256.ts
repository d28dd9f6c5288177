import { hash } from "node:crypto";

/** SHA-256 of the text's UTF-8 bytes: 32 bytes. Core makes jitter from such hashes. */
export function sha256(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}

/** The same hash in base64url without padding: 43 letters. Core makes ids from such hashes. */
export function sha256Text(text: string): string {
  return hash("sha256", text, "base64url");
}
