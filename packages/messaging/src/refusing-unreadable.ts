import type { Decoder } from "./stage.ts";

/** Wraps a decoder: a record that stands for records that could not be read is `unreadable`, and `decode` is not called for it. */
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
