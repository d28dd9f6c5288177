/** The response headers that are kept: at most 16 KiB, with the values of secret headers redacted. */

import { isSecretHeader, REDACTED } from "@postrider/core";

const KEPT_HEADER_BYTES = 16_384;

/** Keeps the first headers, up to 16 KiB of names and values, with secret values redacted. Names are in lower case. */
export function keepResponseHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  let bytes = 0;
  for (const name in headers) {
    const raw = headers[name];
    if (raw === undefined || name === "__proto__") continue;
    const value = isSecretHeader(name)
      ? REDACTED
      : typeof raw === "string"
        ? raw
        : raw.join(", ");
    bytes += name.length + value.length;
    if (bytes > KEPT_HEADER_BYTES) break;
    kept[name] = value;
  }
  return kept;
}
