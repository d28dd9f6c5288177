import { hash, timingSafeEqual } from "node:crypto";

/** Returns a check whether an `authorization` header carries the key. It compares hashes in constant time, so the answer's timing shows neither the key's length nor a matching prefix. */
export function createKeyCheck(
  key: string,
): (authorization: string | undefined) => boolean {
  const expected = sha256(key);
  return (authorization) => {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(sha256(given), expected);
  };
}

function sha256(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
