/** What is kept of a response's headers: at most 16 KiB, with the values of headers that carry secrets blanked. */

import { isSecretHeader, REDACTED } from "@postrider/core";

const MAX_HEADER_BYTES = 16_384;

/** Redacted and bounded by the length of names and values; the first ones are kept. Names are in lower case. */
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
    if (bytes > MAX_HEADER_BYTES) break;
    kept[name] = value;
  }
  return kept;
}
