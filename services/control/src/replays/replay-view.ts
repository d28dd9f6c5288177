import type {
  Endpoint,
  EpochMs,
  Replay,
  ReplaySelection,
} from "@postrider/core";
import { rfc3339 } from "../http/rfc3339.ts";
import { isInlineEndpoint, lackOf } from "./candidate.ts";
import type { EndpointCount } from "./past-deliveries.ts";
import type { LeftOutReason } from "./replay.ts";
import type { Selected } from "./selection-sql.ts";

/** A replay as the API shows it. */
export interface ReplayView {
  readonly id: string;
  readonly kind: string;
  readonly tenantId: string | null;
  readonly state: string;
  /** What it waits for, or why it was stopped. */
  readonly detail: string | null;
  readonly selection: SelectionView;
  readonly selectedAt: string;
  readonly why: string;
  readonly createdBy: string;
  readonly ratePerSecond: number;
  /** How many it was to look at, as counted when it was made. */
  readonly total: number;
  /** How many it has looked at: sent, or left out. */
  readonly done: number;
  readonly sent: number;
  readonly leftOut: Readonly<Record<string, number>>;
  /** Until it is done at its rate, if nothing keeps it waiting; null once it is done or cancelled. */
  readonly secondsLeft: number | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export type SelectionView = {
  readonly [Name in keyof ReplaySelection]: Name extends
    "receivedSince" | "receivedUntil"
    ? string | null
    : ReplaySelection[Name];
};

export function replayView(replay: Replay): ReplayView {
  const { sent, leftOut, total, ratePerSecond, finishedAt } = replay;
  const done = sent + sumOf(leftOut);
  return {
    id: replay.id,
    kind: replay.kind,
    tenantId: replay.tenantId,
    state: replay.state,
    detail: replay.detail === "" ? null : replay.detail,
    selection: selectionView(replay.selection),
    selectedAt: rfc3339(replay.selectedAt),
    why: replay.why,
    createdBy: replay.createdBy,
    ratePerSecond,
    total,
    done,
    sent,
    leftOut,
    secondsLeft:
      finishedAt === null
        ? Math.ceil(Math.max(0, total - done) / ratePerSecond)
        : null,
    createdAt: rfc3339(replay.createdAt),
    finishedAt: finishedAt === null ? null : rfc3339(finishedAt),
  };
}

/** As a caller with a tenant sees it: which replay it waits for, how far others are behind and what ClickHouse says is not the tenant's. */
export function tenantsView(replay: Replay): ReplayView {
  const kind = /^(waits|tries again)/.exec(replay.detail)?.[0];
  return replayView({ ...replay, detail: kind ?? replay.detail });
}

/** What a replay would do, as far as it can be told in advance. */
export interface PreviewView {
  readonly kind: string;
  readonly tenantId: string | null;
  readonly selectedAt: string;
  readonly selection: SelectionView;
  readonly total: number;
  /** How many would be sent. What turns out only when a dead letter is read (it cannot be, or its `expiresAt` is over) is among them. */
  readonly toSend: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly oldestReceivedAt: string | null;
  readonly newestReceivedAt: string | null;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly endpointCount: number;
  /** Those with the most; at most 20. */
  readonly endpoints: readonly EndpointPreview[];
}

interface EndpointPreview {
  readonly endpointId: string;
  readonly tenantId: string;
  readonly total: number;
  readonly toSend: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly oldestReceivedAt: string;
  readonly newestReceivedAt: string;
  /** Why nothing can be sent to it now; null where it can. */
  readonly lack: string | null;
}

const SHOWN_ENDPOINTS = 20;

export function previewView(
  selected: Selected,
  counts: readonly EndpointCount[],
  of: {
    readonly endpoints: { get(id: string): Endpoint | undefined };
    readonly ratePerSecond: number;
  },
): PreviewView {
  const endpoints = counts.map((count) => endpointPreview(count, of.endpoints));
  const leftOut: Record<string, number> = {};
  for (const each of endpoints)
    for (const [reason, left] of Object.entries(each.leftOut))
      leftOut[reason] = (leftOut[reason] ?? 0) + left;
  const sum = (of: (each: EndpointPreview) => number): number =>
    endpoints.reduce((all, each) => all + of(each), 0);
  const toSend = sum((each) => each.toSend);
  return {
    kind: selected.kind,
    tenantId: selected.tenantId,
    selectedAt: rfc3339(selected.selectedAt),
    selection: selectionView(selected.selection),
    total: sum(({ total }) => total),
    toSend,
    leftOut,
    oldestReceivedAt: timeOrNull(
      counts.map(({ oldest }) => oldest),
      Math.min,
    ),
    newestReceivedAt: timeOrNull(
      counts.map(({ newest }) => newest),
      Math.max,
    ),
    ratePerSecond: of.ratePerSecond,
    seconds: Math.ceil(toSend / of.ratePerSecond),
    endpointCount: counts.length,
    endpoints: endpoints.slice(0, SHOWN_ENDPOINTS),
  };
}

/** In the order in which the run looks: another delivery first, then the endpoint, then the payload. */
function endpointPreview(
  count: EndpointCount,
  endpoints: { get(id: string): Endpoint | undefined },
): EndpointPreview {
  const { endpointId, tenantId, total, oldest, newest } = count;
  const lack = isInlineEndpoint(endpointId)
    ? null
    : lackOf(endpoints.get(endpointId));
  const rest = total - count.parked - count.underWay - count.delivered;
  const { payloadGone, headersRedacted } = count;
  const leftOut: Record<string, number> = {};
  for (const [reason, left] of [
    ["parked", count.parked],
    ["under_way", count.underWay],
    ["delivered", count.delivered],
    ...(lack === null
      ? ([
          ["payload_gone", payloadGone],
          ["headers_redacted", headersRedacted],
        ] as const)
      : ([[lack, rest]] as const)),
  ] satisfies readonly (readonly [LeftOutReason, number])[])
    if (left > 0) leftOut[reason] = left;
  return {
    endpointId,
    tenantId,
    total,
    toSend: lack === null ? rest - payloadGone - headersRedacted : 0,
    leftOut,
    oldestReceivedAt: rfc3339(oldest),
    newestReceivedAt: rfc3339(newest),
    lack,
  };
}

function timeOrNull(
  times: readonly EpochMs[],
  choose: (a: number, b: number) => number,
): string | null {
  return times.length === 0
    ? null
    : rfc3339(times.reduce((a, b) => choose(a, b)));
}

function selectionView(selection: ReplaySelection): SelectionView {
  const { receivedSince, receivedUntil } = selection;
  return {
    ...selection,
    receivedSince: receivedSince === null ? null : rfc3339(receivedSince),
    receivedUntil: receivedUntil === null ? null : rfc3339(receivedUntil),
  };
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
