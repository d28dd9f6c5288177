/** One delivery, and what happened to it in the order of time: its event, attempts, deferrals, what its endpoint's breaker did meanwhile, and its end. */
import { z } from "zod";
import type { QueryValues } from "../../cookbook/read-parameters.ts";
import { ControlProblem } from "../../http/problem.ts";
import { listOf } from "../../http/shown.ts";
import { DELIVERIES } from "../lists/delivery-list.ts";
import { DEAD_LETTERS } from "../lists/dead-letter-list.ts";
import {
  asIs,
  rowsOf,
  selected,
  shownRow,
  shownSchema,
  textOrNull,
  time,
  timeOf,
  type Columns,
} from "../lists/list.ts";
import type { Reading } from "../reading.ts";

type Row = Readonly<Record<string, unknown>>;

export interface Timeline {
  readonly delivery: Row;
  /** Oldest first; each has `at` and `kind`. */
  readonly timeline: readonly Row[];
  /** There is more than is shown. */
  readonly isCut: boolean;
}

/** Of each kind at most so many are shown. A delivery has 20 attempts, unless it was sent again by hand. */
const MAX_OF_A_KIND = 1_000;

const EVENT: Columns = {
  at: time("received_at"),
  decidedAt: time("decided_at"),
  occurredAt: time("occurred_at"),
  decision: asIs("decision"),
  payloadBytes: asIs("payload_bytes", z.int()),
};

/** Of a deferral only what one has is shown. */
const DEFERRAL: Columns = {
  at: time("started_at"),
  deferralReason: textOrNull("deferral_reason"),
  nextAttemptAt: time("next_attempt_at"),
  status: asIs("status"),
};

const STEP: Columns = {
  ...DEFERRAL,
  attemptNumber: asIs("attempt_number", z.int()),
  trigger: asIs("trigger"),
  outcome: textOrNull("outcome"),
  statusCode: asIs("status_code", z.int().nullable()),
  durationMs: asIs("duration_ms", z.int()),
  queueMs: asIs("queue_ms", z.int()),
  dnsMs: asIs("dns_ms", z.int()),
  connectMs: asIs("connect_ms", z.int()),
  tlsMs: asIs("tls_ms", z.int()),
  ttfbMs: asIs("ttfb_ms", z.int()),
  isReused: asIs("is_reused", z.boolean()),
  errorCode: textOrNull("error_code"),
  error: textOrNull("error"),
  responseHeaders: asIs("response_headers", z.record(z.string(), z.string())),
  responseBody: textOrNull("response_body"),
  tier: textOrNull("tier"),
  deadLetterReason: textOrNull("dead_letter_reason"),
  replayId: textOrNull("replay_id"),
};

/** As operators see it. The tenants' user in ClickHouse may not select the address, so for a tenant it is not asked for. */
const OPERATORS_STEP: Columns = {
  ...STEP,
  remoteAddress: {
    ...textOrNull("remote_address"),
    schema: z.string().nullable().optional().meta({
      description:
        "The IP address to which the request was sent; null if none was sent. Not there for a tenant's key.",
    }),
  },
};

const SIGNAL: Columns = {
  at: time("at"),
  signal: { ...asIs("kind") },
  detail: asIs("detail"),
  deliveryId: textOrNull("delivery_id"),
};

/** What became of the event since is in the timeline itself, and asked of a list's window only. */
const { deadAt, isDelivered: _, ...DEAD_LETTER_REST } = DEAD_LETTERS.shown;
const DEAD_LETTER: Columns = { at: deadAt, ...DEAD_LETTER_REST };

/** What `GET /v1/deliveries/{id}` answers. */
export const deliveryWithTimeline = shownSchema(DELIVERIES.shown)
  .extend({
    timeline: listOf(
      z.discriminatedUnion("kind", [
        entrySchema("event", EVENT),
        entrySchema("attempt", OPERATORS_STEP),
        entrySchema("deferral", DEFERRAL),
        entrySchema("signal", SIGNAL),
        entrySchema("dead_letter", DEAD_LETTER),
      ]),
    ).meta({ description: "Oldest first" }),
    truncated: z.boolean(),
  })
  .meta({ id: "DeliveryWithTimeline" });

function entrySchema(kind: string, columns: Columns) {
  return z.strictObject({
    kind: z.literal(kind),
    ...shownSchema(columns).shape,
  });
}

/** Throws a `ControlProblem` for a delivery that is not recorded, or is another tenant's. */
export async function readTimeline(
  reading: Pick<Reading, "query">,
  asked: {
    readonly id: string;
    readonly tenantId: string | undefined;
    /** The key is of no tenant. */
    readonly isOperators: boolean;
  },
  gone: AbortSignal,
): Promise<Timeline> {
  const ask = async (
    columns: Columns,
    rest: string,
    values: QueryValues,
  ): Promise<{ readonly rows: readonly Row[]; readonly isCut: boolean }> => {
    const limit = MAX_OF_A_KIND;
    const sql = `SELECT ${selected(columns)}\n${rest}\nLIMIT {limit:UInt32}`;
    const answer = await reading.query(sql, gone, { ...values, limit });
    return {
      rows: rowsOf(answer).map((row) => shownRow(columns, row)),
      isCut: answer.truncated,
    };
  };

  const { id, tenantId, isOperators } = asked;
  const found = await ask(
    { ...DELIVERIES.shown, receivedMs: MS_RECEIVED, changedMs: MS_CHANGED },
    `FROM deliveries AS r FINAL
PREWHERE r.delivery_id = {id:String} AND ({tenantId:String} = '' OR r.tenant_id = {tenantId:String})
ORDER BY r.version DESC, r.received_at DESC`,
    { id, tenantId: tenantId ?? "" },
  );
  const [newest] = found.rows;
  if (newest === undefined) throw unknownDelivery(id);
  const { receivedMs, changedMs, ...delivery } = newest;
  const of = ofDelivery(delivery, {
    // An event that was routed twice has a row for each time it came.
    firstMs: Math.min(...found.rows.map((row) => Number(row["receivedMs"]))),
    receivedMs: Number(receivedMs),
    changedMs: Number(changedMs),
  });
  const [events, steps, signals, letters] = await Promise.all([
    ask(EVENT, EVENT_SQL, of),
    ask(isOperators ? OPERATORS_STEP : STEP, STEPS_SQL, of),
    ask(SIGNAL, SIGNALS_SQL, of),
    ask(DEAD_LETTER, DEAD_LETTERS_SQL, of),
  ]);
  const entries = [
    ...events.rows.slice(0, 1).map((row) => ({ kind: "event", ...row })),
    ...steps.rows.map(stepOf),
    ...signals.rows.map((row) => ({ kind: "signal", ...row })),
    ...letters.rows.map((row) => ({ kind: "dead_letter", ...row })),
  ];
  return {
    delivery,
    timeline: entries.toSorted(byTime),
    isCut: steps.isCut || signals.isCut || letters.isCut,
  };
}

const epochMs = (column: string) => ({
  sql: `toUnixTimestamp64Milli(r.${column})`,
  of: (value: unknown) => value,
  schema: z.int(),
});
const MS_RECEIVED = epochMs("received_at");
const MS_CHANGED = epochMs("changed_at");

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What a breaker did just after a delivery was settled still explains it. */
const AFTER_MS = 300_000;

/** What the other tables are asked with. */
function ofDelivery(
  delivery: Row,
  at: Readonly<Record<"firstMs" | "receivedMs" | "changedMs", number>>,
): QueryValues {
  const isSettled =
    delivery["status"] === "delivered" || delivery["status"] === "expired";
  return {
    id: String(delivery["id"]),
    tenantId: String(delivery["tenantId"]),
    endpointId: String(delivery["endpointId"]),
    eventId: String(delivery["eventId"]),
    receivedMs: at.receivedMs,
    // It begins after its event came in. The day is for clocks that differ.
    startedFrom: at.firstMs - DAY_MS,
    signalsFrom: at.firstMs - HOUR_MS,
    signalsTo: isSettled ? at.changedMs + AFTER_MS : LATEST,
  };
}

const LATEST = Date.UTC(2100, 0, 1);

/** Each condition is on the key, so it may come before the merge of `FINAL`, which otherwise reads every column of what it looks at. */
const OF_DELIVERY =
  "r.tenant_id = {tenantId:String} AND r.endpoint_id = {endpointId:String} AND r.delivery_id = {id:String}";

const EVENT_SQL = `FROM events AS r
WHERE r.tenant_id = {tenantId:String} AND r.event_id = {eventId:String} AND r.part = 0 AND r.decision = 'routed'
ORDER BY abs(toUnixTimestamp64Milli(r.received_at) - {receivedMs:Int64})`;

const STEPS_SQL = `FROM attempts AS r FINAL
PREWHERE ${OF_DELIVERY} AND r.started_at >= ${timeOf("startedFrom")}
ORDER BY r.step, r.started_at`;

const SIGNALS_SQL = `FROM signals AS r FINAL
PREWHERE r.tenant_id = {tenantId:String} AND r.endpoint_id = {endpointId:String}
  AND r.at >= ${timeOf("signalsFrom")} AND r.at <= ${timeOf("signalsTo")}
ORDER BY r.at, r.log_partition, r.log_offset`;

const DEAD_LETTERS_SQL = `FROM dead_letters AS r FINAL
PREWHERE ${OF_DELIVERY} AND r.dead_at >= ${timeOf("startedFrom")}
ORDER BY r.dead_at`;

/** A row of `attempts` is a request, or the first deferral for a reason. */
function stepOf(row: Row): Row {
  if (row["attemptNumber"] !== 0) return { kind: "attempt", ...row };
  return {
    kind: "deferral",
    ...Object.fromEntries(
      Object.keys(DEFERRAL).map((name) => [name, row[name]]),
    ),
  };
}

/** What happened in the same millisecond, in the order in which one follows from the other. */
const ORDER = ["event", "signal", "deferral", "attempt", "dead_letter"];

function byTime(one: Row, other: Row): number {
  const [at, otherAt] = [String(one["at"]), String(other["at"])];
  if (at !== otherAt) return at < otherAt ? -1 : 1;
  return (
    ORDER.indexOf(String(one["kind"])) - ORDER.indexOf(String(other["kind"]))
  );
}

function unknownDelivery(id: string): ControlProblem {
  return new ControlProblem(
    "not_found",
    `No delivery ${JSON.stringify(id)} is recorded. What was just routed takes a moment.`,
    { errors: [{ field: "id", rule: "exists", message: "is not recorded" }] },
  );
}
