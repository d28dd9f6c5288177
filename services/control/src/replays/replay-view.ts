import type {
  Endpoint,
  EpochMs,
  Replay,
  ReplaySelection,
} from "@postrider/core";
import { z } from "zod";
import { rfc3339 } from "../http/rfc3339.ts";
import { listOf, oneOf, shownTime } from "../http/shown.ts";
import { isInlineEndpoint, lackOf } from "./candidate.ts";
import type { EndpointCount } from "./past-deliveries.ts";
import type { LeftOutReason } from "./replay.ts";
import type { Selected } from "./selection-sql.ts";

const selection = z
  .strictObject({
    deliveryIds: listOf(z.string()),
    sql: z.string().nullable(),
    endpointId: z.string().nullable(),
    eventTypes: listOf(z.string()),
    statuses: listOf(z.string()),
    reasons: listOf(z.string()),
    statusCode: z.int().nullable(),
    receivedSince: shownTime.nullable(),
    receivedUntil: shownTime.nullable(),
    deadSince: shownTime.nullable(),
    deadUntil: shownTime.nullable(),
  })
  .meta({ id: "ReplaySelection" });

type SelectionView = z.infer<typeof selection>;

const leftOut = z
  .record(z.string(), z.int())
  .readonly()
  .meta({ description: "How many are not sent, by reason" });

/** A replay as the API shows it. */
export const replay = z
  .strictObject({
    id: z.string(),
    kind: oneOf(["redrive", "backfill"]),
    tenantId: z.string().nullable(),
    state: oneOf(["running", "paused", "cancelled", "done"]),
    detail: z
      .string()
      .nullable()
      .meta({ description: "What it waits for, or why it was stopped" }),
    selection,
    selectedAt: shownTime,
    why: z.string(),
    createdBy: z.string(),
    ratePerSecond: z.int(),
    total: z.int().meta({
      description: "How many it was to look at, as counted when it was made",
    }),
    done: z.int().meta({
      description: "How many it has looked at: sent, or left out",
    }),
    sent: z.int(),
    leftOut,
    secondsLeft: z.int().nullable().meta({
      description:
        "Until it is done at its rate; null while it is paused, and once it is done or cancelled",
    }),
    createdAt: shownTime,
    finishedAt: shownTime.nullable(),
  })
  .meta({ id: "Replay" });

export type ReplayView = z.infer<typeof replay>;

export function replayView(stored: Replay): ReplayView {
  const { sent, total, ratePerSecond, finishedAt } = stored;
  const done = sent + sumOf(stored.leftOut);
  return {
    id: stored.id,
    kind: stored.kind,
    tenantId: stored.tenantId,
    state: stored.state,
    detail: stored.detail === "" ? null : stored.detail,
    selection: selectionView(stored.selection),
    selectedAt: rfc3339(stored.selectedAt),
    why: stored.why,
    createdBy: stored.createdBy,
    ratePerSecond,
    total,
    done,
    sent,
    leftOut: stored.leftOut,
    secondsLeft:
      stored.state === "running"
        ? Math.ceil(Math.max(0, total - done) / ratePerSecond)
        : null,
    createdAt: rfc3339(stored.createdAt),
    finishedAt: finishedAt === null ? null : rfc3339(finishedAt),
  };
}

/** As a caller with a tenant sees it: which replay it waits for, how far others are behind and what ClickHouse says is not the tenant's. */
export function tenantsView(stored: Replay): ReplayView {
  const kind = /^(waits|tries again)/.exec(stored.detail)?.[0];
  return replayView({ ...stored, detail: kind ?? stored.detail });
}

const endpointPreview = z.strictObject({
  endpointId: z.string(),
  tenantId: z.string(),
  total: z.int(),
  toSend: z.int(),
  leftOut,
  oldestReceivedAt: shownTime,
  newestReceivedAt: shownTime,
  lack: z.string().nullable().meta({
    description: "Why nothing can be sent to it now; null where it can",
  }),
});

type EndpointPreview = z.infer<typeof endpointPreview>;

/** What a replay would do, as far as it can be told in advance. */
export const preview = z
  .strictObject({
    kind: oneOf(["redrive", "backfill"]),
    tenantId: z.string().nullable(),
    selectedAt: shownTime,
    selection,
    total: z.int(),
    toSend: z.int().meta({
      description:
        "How many would be sent. What turns out only when a dead letter is read (it cannot be, or its `expiresAt` is over) is among them",
    }),
    leftOut,
    oldestReceivedAt: shownTime.nullable(),
    newestReceivedAt: shownTime.nullable(),
    ratePerSecond: z.int(),
    seconds: z.int(),
    endpointCount: z.int(),
    endpoints: listOf(endpointPreview).meta({
      description: "Those with the most; at most 20",
    }),
    wholeSince: shownTime.nullable().meta({
      description:
        "Where `receivedSince` is earlier: nothing is selected of before this, because ClickHouse drops the rows of those days, or has begun to; else null",
    }),
    withoutDelivery: z.record(z.string(), z.int()).readonly().meta({
      description:
        "Dead letters that match and have no delivery, by reason: no replay can send them, and they are in no other count",
    }),
  })
  .meta({ id: "ReplayPreview" });

export type PreviewView = z.infer<typeof preview>;

const SHOWN_ENDPOINTS = 20;

export function previewView(
  selected: Selected,
  counts: readonly EndpointCount[],
  of: {
    readonly endpoints: { get(id: string): Endpoint | undefined };
    readonly ratePerSecond: number;
    readonly withoutDelivery: Readonly<Record<string, number>>;
    readonly wholeSince: EpochMs;
  },
): PreviewView {
  const endpoints = counts.map((count) =>
    endpointPreviewOf(count, of.endpoints),
  );
  const left: Record<string, number> = {};
  for (const each of endpoints)
    for (const [reason, rows] of Object.entries(each.leftOut))
      left[reason] = (left[reason] ?? 0) + rows;
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
    leftOut: left,
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
    wholeSince:
      selectedSince(selected.selection) < of.wholeSince
        ? rfc3339(of.wholeSince)
        : null,
    withoutDelivery: of.withoutDelivery,
  };
}

/** What was given up since then was received before, or since. */
function selectedSince({
  receivedSince,
  deadSince,
}: Replay["selection"]): EpochMs {
  return receivedSince ?? deadSince ?? Infinity;
}

/** In the order in which the run looks: another delivery first, then the endpoint, then the payload. */
function endpointPreviewOf(
  count: EndpointCount,
  endpoints: { get(id: string): Endpoint | undefined },
): EndpointPreview {
  const { endpointId, tenantId, total, oldest, newest } = count;
  const lack = isInlineEndpoint(endpointId)
    ? null
    : lackOf(endpoints.get(endpointId));
  const rest = total - count.parked - count.underWay - count.delivered;
  const { payloadGone, headersRedacted } = count;
  const left: Record<string, number> = {};
  for (const [reason, rows] of [
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
    if (rows > 0) left[reason] = rows;
  return {
    endpointId,
    tenantId,
    total,
    toSend: lack === null ? rest - payloadGone - headersRedacted : 0,
    leftOut: left,
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

function selectionView(stored: ReplaySelection): SelectionView {
  const shown = (at: EpochMs | null): string | null =>
    at === null ? null : rfc3339(at);
  return {
    ...stored,
    receivedSince: shown(stored.receivedSince),
    receivedUntil: shown(stored.receivedUntil),
    deadSince: shown(stored.deadSince),
    deadUntil: shown(stored.deadUntil),
  };
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
