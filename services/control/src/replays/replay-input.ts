import {
  DEAD_LETTER_REASONS,
  parseTime,
  type EpochMs,
  type ReplaySelection,
} from "@postrider/core";
import { invalid, type Caller } from "@postrider/http";
import { z } from "zod";
import { ControlProblem } from "../http/problem.ts";
import { problemsOf } from "../http/zod-problems.ts";
import { judgeSubquery } from "../reads/query-guard.ts";
import type { Selected } from "./selection-sql.ts";

/** What a request says of a replay that is to be made or looked at in advance. */
export interface ReplayInput {
  readonly tenantId: string | null;
  readonly selection: ReplaySelection;
  readonly ratePerSecond: number;
  /** When the caller saw what is selected; null: not given. */
  readonly selectedAt: EpochMs | null;
  /** The caller wants what is selected now, seen or not. */
  readonly isConfirmed: boolean;
  readonly why: string;
}

/** So many ids fit into the URL of a query. */
const MAX_IDS = 100;
const MAX_WHY = 1_000;

const time = z.unknown().transform((value, context) => {
  const at = parseTime(value);
  if (at !== undefined) return at;
  context.addIssue({
    code: "custom",
    message: "must be a time: RFC 3339, or epoch milliseconds",
    params: { rule: "time" },
  });
  return z.NEVER;
});
const id = z.string().min(1).max(256);

const body = z.strictObject({
  tenantId: id.optional(),
  deliveryIds: z.array(id).min(1).max(MAX_IDS).optional(),
  sql: z.string().min(1).optional(),
  endpointId: id.optional(),
  eventType: id.optional(),
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
  ratePerSecond: z.int().min(1).max(10_000).optional(),
  selectedAt: time.optional(),
  confirm: z.boolean().optional(),
  why: z.string().max(MAX_WHY).optional(),
});

/** Throws a `ProblemError` that names every wrong field. A caller with a tenant selects that tenant's deliveries only. */
export function parseReplay(
  given: unknown,
  of: {
    readonly caller: Caller;
    readonly now: EpochMs;
    readonly defaultRate: number;
  },
): ReplayInput {
  const parsed = body.safeParse(given ?? {});
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  const { data } = parsed;
  const own = of.caller.tenantId;
  if (own !== null && data.tenantId !== undefined && data.tenantId !== own)
    throw invalid([
      { field: "tenantId", rule: "own", message: "must be that of your key" },
    ]);
  if (data.sql !== undefined && data.deliveryIds !== undefined)
    throw invalid([
      {
        field: "sql",
        rule: "one_of",
        message: "must not be given together with deliveryIds",
      },
    ]);
  const {
    receivedSince = null,
    receivedUntil = null,
    selectedAt = null,
  } = data;
  if (selectedAt !== null && selectedAt > of.now)
    throw invalid([
      {
        field: "selectedAt",
        rule: "max",
        message: "must not be in the future",
      },
    ]);
  if ((receivedSince ?? 0) >= (receivedUntil ?? Infinity))
    throw invalid([
      {
        field: "receivedUntil",
        rule: "min",
        message: "must be later than receivedSince",
      },
    ]);
  return {
    tenantId: own ?? data.tenantId ?? null,
    selection: {
      deliveryIds: [...new Set(data.deliveryIds)],
      sql: data.sql === undefined ? null : allowedSql(data.sql, own),
      endpointId: data.endpointId ?? null,
      eventType: data.eventType ?? null,
      statuses: [...new Set(data.statuses ?? ["expired"])],
      reasons: [...new Set(data.reasons)],
      statusCode: data.statusCode ?? null,
      receivedSince,
      receivedUntil,
    },
    ratePerSecond: data.ratePerSecond ?? of.defaultRate,
    selectedAt,
    isConfirmed: data.confirm === true,
    why: data.why ?? "",
  };
}

/** The SQL as it is put into ours, in brackets. A tenant's key has none, because ClickHouse would show it every tenant's rows. */
function allowedSql(sql: string, ownTenant: string | null): string {
  if (ownTenant !== null)
    throw invalid([
      { field: "sql", rule: "role", message: "needs a key of no tenant" },
    ]);
  const judged = judgeSubquery(sql);
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
