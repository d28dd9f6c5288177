import { invalid } from "@postrider/http";
import type { EpochMs } from "@postrider/core";
import { z } from "zod";
import { readTime } from "../cookbook/read-parameters.ts";
import { rfc3339 } from "../http/rfc3339.ts";
import { listOf, nextCursor, shownTime } from "../http/shown.ts";
import { ASKED_TIME } from "../http/text-rules.ts";
import { problemsOf } from "../http/zod-problems.ts";
import { AUDIT_ACTIONS, type AuditFact } from "../audit/audit-trail.ts";

/** An audit record as the API shows it. */
const auditView = z
  .strictObject({
    at: shownTime,
    actor: z.string().meta({
      description:
        "Id of the key that asked for it; `postrider` where none did",
    }),
    tenantId: z.string().nullable(),
    subject: z.string(),
    subjectId: z.string(),
    action: z.string(),
    why: z.string(),
    detail: z.unknown().meta({ description: "What changed, by field" }),
    requestId: z.string(),
  })
  .meta({ id: "AuditEntry" });
type AuditView = z.infer<typeof auditView>;

export const auditPageView = z
  .strictObject({ entries: listOf(auditView), nextCursor })
  .meta({ id: "AuditPage" });
export type AuditPage = z.infer<typeof auditPageView>;

/** A row of the table `audit`, as the reader asks for it. */
export interface AuditRow {
  readonly at_ms: EpochMs;
  readonly actor: string;
  readonly tenant_id: string;
  readonly subject: string;
  readonly subject_id: string;
  readonly action: string;
  readonly why: string;
  readonly detail: string;
  readonly request_id: string;
  readonly log_partition: number;
  readonly log_offset: number;
}

/** What is asked for. An empty text asks for every one. */
export interface AuditQuery {
  readonly subject: string;
  readonly subjectId: string;
  readonly actor: string;
  readonly tenant: string;
  readonly action: string;
  readonly since: EpochMs;
  /** This moment excluded. */
  readonly until: EpochMs;
  readonly limit: number;
  /** Only what is older than this place. */
  readonly before: AuditPlace;
}

/** A record's place in the order of the list: by its time, then by where it is in the topic. */
export interface AuditPlace {
  readonly at: EpochMs;
  readonly partition: number;
  readonly offset: number;
}

/** Behind every record: ClickHouse's times of this kind end in 2299. */
const LATEST = Date.UTC(2200, 0, 1);
const NEWEST: AuditPlace = { at: LATEST, partition: 0, offset: 0 };

const SUBJECTS = [
  "endpoint",
  "key",
  "replay",
] as const satisfies AuditFact["subject"][];

const name = z.string().min(1).max(256).default("");

const cursor = z.string().transform((text, context): AuditPlace => {
  const decoded = Buffer.from(text, "base64url").toString("utf8");
  const match = /^(\d{1,15})\/(\d{1,9})\/(\d{1,15})$/.exec(decoded);
  if (match !== null)
    return {
      at: Number(match[1]),
      partition: Number(match[2]),
      offset: Number(match[3]),
    };
  context.addIssue({
    code: "custom",
    params: { rule: "cursor" },
    message: "is not a nextCursor of this list",
  });
  return z.NEVER;
});

export function auditListQuery(now: EpochMs) {
  const time = z
    .string()
    .meta(ASKED_TIME)
    .transform((text, context): EpochMs => {
      const read = readTime(text, now);
      if ("value" in read)
        return Math.min(Math.max(read.value.getTime(), 0), LATEST);
      const { rule, message } = read;
      context.addIssue({ code: "custom", params: { rule }, message });
      return z.NEVER;
    });
  return z
    .strictObject({
      subject: z.enum(SUBJECTS).optional(),
      subjectId: name,
      actor: name,
      tenantId: name,
      action: z.enum(AUDIT_ACTIONS).optional(),
      since: time.optional(),
      until: time.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      cursor: cursor.optional(),
    })
    .refine(({ since = 0, until = LATEST }) => since < until, {
      path: ["since"],
      params: { rule: "before" },
      message: "must be before until",
    });
}

/** Reads the parameters of a request; `ownTenant` (whose-rows.ts) has put in the caller's own tenant. Throws a `ProblemError` that names every invalid parameter. */
export function parseAuditQuery(query: unknown, now: EpochMs): AuditQuery {
  const parsed = auditListQuery(now).safeParse(query);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  const {
    cursor: before = NEWEST,
    subject = "",
    action = "",
    tenantId: tenant,
    ...given
  } = parsed.data;
  return {
    ...given,
    subject,
    action,
    tenant,
    since: given.since ?? 0,
    until: given.until ?? LATEST,
    before,
  };
}

/** `rows` has one more than the page where there is a next one. */
export function auditPage(rows: readonly AuditRow[], limit: number): AuditPage {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    entries: page.map(viewOf),
    nextCursor:
      last !== undefined && rows.length > page.length ? cursorOf(last) : null,
  };
}

function viewOf(row: AuditRow): AuditView {
  return {
    at: rfc3339(row.at_ms),
    actor: row.actor,
    tenantId: row.tenant_id === "" ? null : row.tenant_id,
    subject: row.subject,
    subjectId: row.subject_id,
    action: row.action,
    why: row.why,
    detail: parsedOr(row.detail),
    requestId: row.request_id,
  };
}

/** Whoever may write to the topic may have written something else than JSON: one such record must not hide the others. */
function parsedOr(detail: string): unknown {
  try {
    return JSON.parse(detail);
  } catch {
    return detail;
  }
}

function cursorOf({ at_ms, log_partition, log_offset }: AuditRow): string {
  const place = `${at_ms}/${log_partition}/${log_offset}`;
  return Buffer.from(place).toString("base64url");
}
