/** The answer of `GET /v1/deliveries/{id}` as text for people. */
import { visible, type Terminal } from "../terminal.ts";
import { madeBy } from "../made-by.ts";
import { cell, type Row } from "./list-spec.ts";

export interface DeliveryTimeline extends Row {
  readonly timeline: readonly Row[];
  readonly truncated: boolean;
}

export function renderTimeline(
  delivery: DeliveryTimeline,
  terminal: Terminal,
): string {
  const of = (name: string): string => visible(cell(delivery[name]));
  const why = of("deadLetterReason") || of("deferralReason");
  const next = of("nextAttemptAt");
  return [
    `${terminal.paint("bold", of("id"))}  ${of("status")}${why === "" ? "" : ` (${why})`}${next === "" ? "" : `  next attempt ${next}`}`,
    `event ${of("eventId")}  ${of("eventType")}  tenant ${of("tenantId")}  endpoint ${of("endpointId")}`,
    ...delivery.timeline.map((entry) => `  ${lineOf(entry)}`),
    ...(delivery.truncated ? ["  (there is more than is shown)"] : []),
  ].join("\n");
}

function lineOf(entry: Row): string {
  const of = (name: string): string => visible(cell(entry[name]));
  const told = toldBy(String(entry["kind"]), of);
  return [of("at"), ...told].filter((text) => text !== "").join("  ");
}

function toldBy(kind: string, of: (name: string) => string): readonly string[] {
  switch (kind) {
    case "event":
      return ["event received", of("decision"), `${of("payloadBytes")} bytes`];
    case "attempt":
      return [
        `attempt ${of("attemptNumber")}`,
        `${of("outcome")} ${of("statusCode")}`.trim(),
        `${of("durationMs")} ms`,
        of("error"),
        madeBy(of("trigger"), of("replayId")),
        of("nextAttemptAt") === "" ? "" : `next ${of("nextAttemptAt")}`,
      ];
    case "deferral":
      return [
        `put off (${of("deferralReason")})`,
        `until ${of("nextAttemptAt")}`,
      ];
    case "signal":
      return [of("signal"), of("detail")];
    case "dead_letter":
      return [
        of("reason") === "paused" ? "parked" : `given up (${of("reason")})`,
        of("detail"),
        `${of("logTopic")}/${of("logPartition")}@${of("logOffset")}`,
      ];
    default: // of a later version
      return [kind];
  }
}
