import {
  DEAD_LETTER_REASONS,
  isTypePattern,
  parseTime,
  type Endpoint,
  type EpochMs,
  type Problem,
  type ReplaySelection,
} from "@postrider/core";
import { invalid, type Caller } from "@postrider/http";
import { z } from "zod";
import { ofCallersTenant } from "../http/callers-tenant.ts";
import { ControlProblem } from "../http/problem.ts";
import { readTime } from "../http/read-time.ts";
import { GIVEN_TIME } from "../http/text-rules.ts";
import { problemsOf } from "../http/zod-problems.ts";
import type { Selected } from "./selection-sql.ts";

/** What a request says of a replay that is to be made or looked at in advance. */
export interface ReplayInput {
  readonly kind: "redrive" | "backfill";
  readonly tenantId: string | null;
  readonly selection: ReplaySelection;
  readonly ratePerSecond: number;
  /** When the caller saw what is selected; null: not given. */
  readonly selectedAt: EpochMs | null;
  /** The caller wants what is selected now, seen or not. */
  readonly isConfirmed: boolean;
  readonly why: string;
}

/** Judges an operator's SQL as `judgeSubquery` does; the folder of reads is not ours to import. */
export type JudgeSql = (text: string) =>
  | { readonly isAllowed: true; readonly sql: string }
  | {
      readonly isAllowed: false;
      readonly rule: string;
      readonly message: string;
    };

const DEAD_TIMES = ["deadSince", "deadUntil"] as const;
/** So many ids fit into the URL of a query. */
const MAX_IDS = 100;
/** The preview may have come from another replica, whose clock is ahead. */
const MAX_SKEW_MS = 60_000;
/** As of the header that gives a reason (audit/cause.ts). */
export const MAX_WHY = 500;

/** A time of day, or how long before a moment that is known only with the whole body. */
type TimeText = (now: EpochMs) => EpochMs;

const time = z
  .unknown()
  .transform((value, context): TimeText => {
    const read = timeAt(value, 0);
    if (typeof read === "number") return (now) => timeAt(value, now) as EpochMs; // what can be read once can be read again
    const { rule, message } = read;
    context.addIssue({ code: "custom", message, params: { rule } });
    return z.NEVER;
  })
  .meta(GIVEN_TIME);

function timeAt(
  value: unknown,
  now: EpochMs,
): EpochMs | Pick<Problem, "rule" | "message"> {
  const at = typeof value === "string" ? undefined : parseTime(value);
  if (at !== undefined) return at;
  const read = readTime(typeof value === "string" ? value : "", now);
  return "value" in read ? read.value.getTime() : read;
}

const id = z.string().min(1).max(256);

export const replayBody = z.strictObject({
  kind: z.enum(["redrive", "backfill"]).optional(),
  tenantId: id.optional(),
  deliveryIds: z.array(id).min(1).max(MAX_IDS).optional(),
  sql: z.string().min(1).optional(),
  endpointId: id.optional(),
  eventTypes: z
    .array(
      z.string().refine(isTypePattern, {
        params: { rule: "pattern" },
        message: "must be a pattern: order.paid, order.* or *",
      }),
    )
    .min(1)
    .max(MAX_IDS)
    .optional(),
  statuses: z
    .array(z.enum(["expired", "delivered"]))
    .min(1)
    .max(2)
    .optional(),
  reasons: z
    .array(z.enum(DEAD_LETTER_REASONS).exclude(["paused"]))
    .min(1)
    .optional(),
  statusCode: z.int().min(100).max(599).optional(),
  receivedSince: time.optional(),
  receivedUntil: time.optional(),
  deadSince: time.optional(),
  deadUntil: time.optional(),
  ratePerSecond: z.int().min(1).max(10_000).optional(),
  selectedAt: time.optional(),
  confirm: z
    .boolean()
    .optional()
    .meta({ description: "Send what is selected now, without a preview" }),
  why: z.string().max(MAX_WHY).optional(),
});

/** Throws a `ProblemError` that names every wrong field. A caller with a tenant selects that tenant's deliveries only. */
export function parseReplay(
  given: unknown,
  of: {
    readonly caller: Caller;
    readonly now: EpochMs;
    readonly defaultRate: number;
    readonly judgeSql: JudgeSql;
  },
): ReplayInput {
  const own = of.caller.tenantId;
  const parsed = replayBody.safeParse(ofCallersTenant(given ?? {}, own));
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  const { data } = parsed;
  if (data.sql !== undefined && data.deliveryIds !== undefined)
    throw invalid([
      {
        field: "sql",
        rule: "one_of",
        message: "must not be given together with deliveryIds",
      },
    ]);
  const { kind = "redrive" } = data;
  const selectedAt = data.selectedAt?.(of.now) ?? null;
  // So the window that a preview has shown stays the same in the replay that is made of it.
  const seenAt = selectedAt ?? of.now;
  const receivedSince = data.receivedSince?.(seenAt) ?? null;
  const receivedUntil = data.receivedUntil?.(seenAt) ?? null;
  const deadSince = data.deadSince?.(seenAt) ?? null;
  const deadUntil = data.deadUntil?.(seenAt) ?? null;
  if (selectedAt !== null && selectedAt > of.now + MAX_SKEW_MS)
    throw invalid([
      {
        field: "selectedAt",
        rule: "max",
        message: "must not be in the future",
      },
    ]);
  if ((receivedSince ?? 0) >= (receivedUntil ?? Infinity))
    throw notLater("receivedUntil", "receivedSince");
  if ((deadSince ?? 0) >= (deadUntil ?? Infinity))
    throw notLater("deadUntil", "deadSince");
  if (data.statuses?.includes("delivered") === true)
    refuseDeadTimes(
      data,
      "expired",
      "is about what was given up, and statuses names delivered",
    );
  if (data.deliveryIds !== undefined)
    refuseDeadTimes(
      data,
      "one_of",
      "must not be given together with deliveryIds",
    );
  if (kind === "backfill") refuseForBackfill(data);
  return {
    kind,
    tenantId: data.tenantId ?? null,
    selection: {
      deliveryIds: [...new Set(data.deliveryIds)],
      sql:
        data.sql === undefined ? null : allowedSql(data.sql, own, of.judgeSql),
      endpointId: data.endpointId ?? null,
      eventTypes: [...new Set(data.eventTypes)],
      statuses:
        kind === "backfill" ? [] : [...new Set(data.statuses ?? ["expired"])],
      reasons: [...new Set(data.reasons)],
      statusCode: data.statusCode ?? null,
      receivedSince,
      receivedUntil,
      deadSince,
      deadUntil,
    },
    ratePerSecond: data.ratePerSecond ?? of.defaultRate,
    selectedAt,
    isConfirmed: data.confirm === true,
    why: data.why ?? "",
  };
}

function notLater(field: string, than: string) {
  return invalid([
    { field, rule: "min", message: `must be later than ${than}` },
  ]);
}

/** Of a delivery that was delivered it is not known when another one of its event was given up; and those that are named need no times. */
function refuseDeadTimes(
  data: z.infer<typeof replayBody>,
  rule: string,
  message: string,
): void {
  const problems = DEAD_TIMES.filter((field) => data[field] !== undefined).map(
    (field) => ({ field, rule, message }),
  );
  if (problems.length > 0) throw invalid(problems);
}

/** A backfill is of one endpoint and has an end: otherwise everything that is recorded would go there. */
function refuseForBackfill(data: z.infer<typeof replayBody>): void {
  const lacking = (["endpointId", "receivedSince"] as const)
    .filter((field) => data[field] === undefined)
    .map((field) => ({
      field,
      rule: "required",
      message: "is required for a backfill",
    }));
  const foreign = (
    [
      "deliveryIds",
      "sql",
      "statuses",
      "reasons",
      "statusCode",
      ...DEAD_TIMES,
    ] as const
  )
    .filter((field) => data[field] !== undefined)
    .map((field) => ({
      field,
      rule: "redrive",
      message: "is about past deliveries, and a backfill is of events",
    }));
  const problems = [...lacking, ...foreign];
  if (problems.length > 0) throw invalid(problems);
}

/** A backfill is of its endpoint's tenant, and of the types that the endpoint wants now. Throws where the caller does not see the endpoint. */
export function backfilling(
  input: ReplayInput,
  endpoint: Pick<Endpoint, "tenantId" | "eventTypes"> | undefined,
): ReplayInput {
  const { tenantId, selection } = input;
  if (
    endpoint === undefined ||
    (tenantId !== null && tenantId !== endpoint.tenantId)
  )
    throw invalid([
      { field: "endpointId", rule: "exists", message: "is no endpoint" },
    ]);
  const { eventTypes } = selection;
  return {
    ...input,
    tenantId: endpoint.tenantId,
    selection: {
      ...selection,
      eventTypes: eventTypes.length > 0 ? eventTypes : endpoint.eventTypes,
    },
  };
}

/** The SQL as it is put into ours, in brackets. A tenant's key has none, because ClickHouse would show it every tenant's rows. */
function allowedSql(
  sql: string,
  ownTenant: string | null,
  judgeSql: JudgeSql,
): string {
  if (ownTenant !== null)
    throw invalid([
      { field: "sql", rule: "role", message: "needs a key of no tenant" },
    ]);
  const judged = judgeSql(sql);
  if (judged.isAllowed) return judged.sql;
  throw new ControlProblem("query_refused", `sql: ${judged.message}`, {
    errors: [{ field: "sql", rule: judged.rule, message: judged.message }],
  });
}

/** The selection of deliveries that are named, narrowed to where they are: so it is quick to read, and waits for no replay of others. */
export function narrowed(
  selected: Selected,
  found: readonly {
    readonly endpointId: string;
    readonly receivedAt: EpochMs;
  }[],
): Selected {
  const endpointIds = new Set(found.map(({ endpointId }) => endpointId));
  const [endpointId] = endpointIds;
  const times = found.map(({ receivedAt }) => receivedAt);
  return {
    ...selected,
    selection: {
      ...selected.selection,
      endpointId:
        endpointIds.size === 1 && endpointId !== undefined
          ? endpointId
          : selected.selection.endpointId,
      receivedSince: Math.min(...times),
      receivedUntil: Math.max(...times) + 1,
    },
  };
}
