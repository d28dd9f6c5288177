import type { RawRecord } from "@postrider/messaging";

/** The first value of a record header as text; empty if there is none. */
export function headerText(raw: RawRecord, name: string): string {
  const value = Object.hasOwn(raw.headers, name)
    ? raw.headers[name]
    : undefined;
  const first = Buffer.isBuffer(value) ? value : value?.[0];
  return first?.toString("utf8") ?? "";
}
