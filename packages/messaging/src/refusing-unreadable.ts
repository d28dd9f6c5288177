import type { Decoder } from "./stage.ts";

/** The same decoder, which never sees what stands in the place of records that could not be read. */
export function refusingUnreadable<In>(decode: Decoder<In>): Decoder<In> {
  return (raw) =>
    raw.unreadable === undefined
      ? decode(raw)
      : {
          kind: "unreadable",
          reason: "unreadable",
          detail: raw.unreadable.detail,
        };
}
