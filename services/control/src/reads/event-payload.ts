/** `GET /v1/events/{id}/payload`: what was published, as the recorder has kept it. */
import { z } from "zod";
import { ofOneTenant, unknownEvent } from "./event-problems.ts";
import type { Reading } from "./reading.ts";

export const eventPayload = z
  .strictObject({
    contentType: z.string(),
    headers: z.record(z.string(), z.string()).readonly().meta({
      description:
        "The event's own; the values of secret ones are `[redacted]`",
    }),
    payloadBytes: z.int(),
    payload: z.string().nullable().meta({
      description: "Null where payloads are not recorded",
    }),
    encoding: z.enum(["utf8", "base64"]).meta({
      description: "How `payload` is written: `base64` where it is no UTF-8",
    }),
  })
  .meta({ id: "EventPayload" });
export type EventPayload = z.infer<typeof eventPayload>;

interface PayloadRow {
  readonly tenant_id: string;
  readonly content_type: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly payload: string;
  readonly payload_bytes: number;
}

/** The original where a duplicate has the same id, as `eventViewOf` chooses. */
const PAYLOAD_SQL = `
SELECT tenant_id, content_type, headers, base64Encode(e.payload) AS payload, payload_bytes
FROM events AS e
WHERE event_id = {eventId:String} AND ({tenantId:String} = '' OR tenant_id = {tenantId:String}) AND part = 0
ORDER BY decision = 'duplicate', e.received_at
LIMIT 1 BY tenant_id
LIMIT 10`;

/** Throws a `ControlProblem` for an event that is not recorded, is another tenant's, or is one of several tenants'. */
export async function readPayload(
  reading: Pick<Reading, "select">,
  asked: { readonly eventId: string; readonly tenantId: string | null },
): Promise<EventPayload> {
  const rows = await reading.select<PayloadRow>(PAYLOAD_SQL, {
    eventId: asked.eventId,
    tenantId: asked.tenantId ?? "",
  });
  const [row] = ofOneTenant(rows);
  if (row === undefined) throw unknownEvent(asked.eventId);
  const bytes = Buffer.from(row.payload, "base64");
  const text = utf8Of(bytes);
  const isKept = bytes.byteLength === row.payload_bytes;
  return {
    contentType: row.content_type,
    headers: row.headers,
    payloadBytes: row.payload_bytes,
    payload: isKept ? (text ?? row.payload) : null,
    encoding: text === null ? "base64" : "utf8",
  };
}

function utf8Of(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch {
    return null;
  }
}
