import { createHash, timingSafeEqual } from "node:crypto";

/** Whether an `authorization` header carries the key. Hashes are compared, in constant time, so that neither length nor prefix leaks. */
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
  return createHash("sha256").update(text, "utf8").digest();
}
