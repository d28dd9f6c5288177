import {
  type ParsedEvent,
  readBinaryCloudEvent,
  readStructuredCloudEvent,
} from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import { headerText } from "./header-text.ts";

const PREFIX = "ce_";
const NO_DATA = new Uint8Array();
const MEDIA_TYPE =
  /^application\/cloudevents(-batch)?(?:\+([a-z]+))?(?:\s*;|\s*$)/i;

/** Reads a CloudEvent in binary mode (it has a header `ce_specversion`) or in structured mode (its `content-type` is `application/cloudevents+json`). Null if the record is neither, or in structured mode without a value. */
export function readCloudEvent(raw: RawRecord): ParsedEvent | null {
  const contentType = headerText(raw, "content-type");
  // Most records have neither header, so that is found out first.
  const structured = contentType === "" ? null : MEDIA_TYPE.exec(contentType);
  // An event may have no data: in binary mode some producers then write no value, others an empty one.
  const value = raw.value ?? NO_DATA;
  if (structured !== null) {
    if (value.length === 0) return null;
    const [, batch, format] = structured;
    return batch === undefined && format?.toLowerCase() === "json"
      ? readStructuredCloudEvent(value)
      : unparseable(
          `${contentType} is not read: send each CloudEvent by itself, as application/cloudevents+json or in binary mode`,
        );
  }
  if (headerText(raw, `${PREFIX}specversion`) === "") return null;
  const attributes = new Map<string, string>();
  for (const name of Object.keys(raw.headers)) {
    const text = headerText(raw, name);
    if (name.startsWith(PREFIX) && text !== "")
      attributes.set(name.slice(PREFIX.length), text);
  }
  return readBinaryCloudEvent(attributes, contentType, value);
}

function unparseable(message: string): ParsedEvent {
  return {
    kind: "unparseable",
    problem: { field: "", rule: "format", message },
  };
}
