import type { Problem } from "@postrider/core";
import { table, type Terminal } from "../terminal.ts";
import type { TriedRecord } from "./tried-record.ts";

const PAYLOAD_CHARS = 60;

/** A row for each record: the event, or in its place the field and the rule that it breaks. */
export function tableOf(
  tried: readonly TriedRecord[],
  terminal: Terminal,
): string {
  return table(
    ["record", "tenant", "type", "event id", "payload, or why it is refused"],
    tried.map(({ topic, partition, offset, event, problems }) => [
      `${topic}/${partition}@${offset}`,
      event?.tenantId ?? "-",
      event?.type ?? "-",
      event?.id ?? "-",
      event === null
        ? `refused: ${problems.map(problemText).join("; ")}`
        : shortened(event.payload),
    ]),
    terminal,
  );
}

function problemText({ field, rule, message }: Problem): string {
  return field === ""
    ? `${message} (${rule})`
    : `${field}: ${message} (${rule})`;
}

function shortened(text: string): string {
  return text.length > PAYLOAD_CHARS
    ? `${text.slice(0, PAYLOAD_CHARS)}…`
    : text;
}
