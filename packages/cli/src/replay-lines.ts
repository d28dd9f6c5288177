/** Replays and their previews for people. */
import { counted } from "@postrider/core";
import { fieldLines } from "./field-lines.ts";
import { table, visible, type Terminal } from "./terminal.ts";

/** The fields of control's answer that are used here. */
export interface Replay {
  readonly id: string;
  readonly state: string;
  readonly detail: string | null;
  /** What was not set is null or empty. */
  readonly selection: Readonly<
    Record<string, string | number | null | readonly string[]>
  >;
  readonly why: string;
  readonly total: number;
  readonly done: number;
  readonly sent: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly secondsLeft: number | null;
  readonly createdAt: string;
}

export interface Preview {
  readonly kind: string;
  readonly tenantId: string | null;
  readonly selection: Replay["selection"];
  readonly selectedAt: string;
  readonly total: number;
  readonly toSend: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly oldestReceivedAt: string | null;
  readonly newestReceivedAt: string | null;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly endpointCount: number;
  readonly endpoints: readonly {
    readonly endpointId: string;
    readonly tenantId: string;
    readonly total: number;
    readonly toSend: number;
    readonly leftOut: Readonly<Record<string, number>>;
    readonly oldestReceivedAt: string;
    readonly newestReceivedAt: string;
  }[];
  readonly withoutDelivery: Replay["leftOut"];
  /** Where the selection reaches further back: nothing of before this is selected. */
  readonly wholeSince: string | null;
}

export function replayLines(
  replay: Replay,
  terminal: Pick<Terminal, "paint">,
): string {
  return fieldLines(replay, terminal, {
    selection: selectionParts,
    leftOut: (counts: Replay["leftOut"]) =>
      Object.entries(counts).map(([reason, count]) => `${reason}: ${count}`),
  });
}

export function previewLines(preview: Preview, terminal: Terminal): string {
  const { toSend, total, endpointCount, endpoints, ratePerSecond } = preview;
  const left = leftOutText(preview.leftOut);
  const lines = [
    `Selected: ${selectionText(preview)}.`,
    `${sentText(preview)}, to ${counted(endpointCount, "endpoint")}.`,
    ...(left === "" ? [] : [`${total - toSend} would be left out: ${left}.`]),
  ];
  const without = [...tooOldLines(preview), ...withoutDeliveryLines(preview)];
  if (total === 0) return [...lines.slice(0, 2), ...without].join("\n");
  return [
    ...lines,
    ...without,
    `Received from ${preview.oldestReceivedAt} to ${preview.newestReceivedAt}. At ${ratePerSecond} a second it takes ${counted(preview.seconds, "second")}, or longer.`,
    table(
      ["endpoint", "tenant", "to send", "of", "oldest", "newest", "left out"],
      endpoints.map((each) => [
        each.endpointId,
        each.tenantId,
        String(each.toSend),
        String(each.total),
        each.oldestReceivedAt,
        each.newestReceivedAt,
        leftOutText(each.leftOut),
      ]),
      terminal,
    ),
    ...(endpointCount > endpoints.length
      ? [`… and ${counted(endpointCount - endpoints.length, "endpoint")} more`]
      : []),
  ].join("\n");
}

/** An older control does not have it. */
function tooOldLines({ wholeSince = null }: Partial<Preview>): string[] {
  return wholeSince === null
    ? []
    : [
        `Nothing of before ${wholeSince} is selected: ClickHouse drops what came in then, or has begun to.`,
      ];
}

/** What no replay can send, and what to do about it. */
function withoutDeliveryLines({
  withoutDelivery = {}, // an older control does not have it
}: Partial<Preview>): string[] {
  const reasons = Object.keys(withoutDelivery);
  if (reasons.length === 0) return [];
  const sum = Object.values(withoutDelivery).reduce((all, n) => all + n, 0);
  return [
    `${counted(sum, "dead letter")} more ${sum === 1 ? "has" : "have"} no delivery that could be sent again: ${leftOutText(withoutDelivery)}. Their events are to be published again; which ones: npx postrider dead-letters list --reason ${reasons.join(",")}`,
  ];
}

/** `3 deliveries would be sent again`. A backfill's have not been sent before. */
export function sentText({ kind, toSend }: Preview): string {
  return kind === "backfill"
    ? `${deliveries(toSend)} would be sent`
    : `${deliveries(toSend)} would be sent again`;
}

function selectionText({ tenantId, selection }: Preview): string {
  const parts = selectionParts({ tenantId, ...selection });
  return parts.length === 0 ? "everything" : visible(parts.join("; "));
}

/** What was set of the conditions. */
function selectionParts(selection: Replay["selection"]): string[] {
  return Object.entries(selection).flatMap(([name, value]) => {
    const text = [value].flat().join(",");
    return text === "" ? [] : [`${name}: ${text}`];
  });
}

/** `3 endpoint_deleted, 1 parked`. */
export function leftOutText(leftOut: Replay["leftOut"]): string {
  return Object.entries(leftOut)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(", ");
}

export function deliveries(count: number): string {
  return counted(count, "delivery", "deliveries");
}
