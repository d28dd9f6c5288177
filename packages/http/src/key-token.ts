/** An API key as its owner sends it, the token: `prk_`, the key's id, `_`, and 32 random bytes. */
import { hash, randomBytes } from "node:crypto";

/** The id is of a fixed length, because the random part may hold `_`, too. */
const FORM = /^prk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

export interface NewKey {
  readonly id: string;
  /** Told to its owner once, and kept nowhere. */
  readonly token: string;
  readonly hash: Buffer;
}

export function newKey(): NewKey {
  const id = randomBytes(8).toString("hex");
  const token = `prk_${id}_${randomBytes(32).toString("base64url")}`;
  return { id, token, hash: hashOfToken(token) };
}

/** The id in a token; `undefined` for a text of any other form. */
export function keyIdOf(token: string): string | undefined {
  return FORM.exec(token)?.[1];
}

/** One SHA-256 is enough: nobody can guess 32 random bytes, however fast the hash is. */
export function hashOfToken(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
