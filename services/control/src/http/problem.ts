import {
  COMMON_KINDS,
  ProblemError,
  type ProblemKinds,
  type ProblemOptions,
} from "@postrider/http";

/** The kinds of problem that only control answers with. */
const KINDS = {
  ...COMMON_KINDS,
  query_refused: [400, "The query is not one that may be asked here"],
  query_failed: [400, "ClickHouse refused the query"],
  ambiguous_event: [409, "Several tenants have an event of this id"],
  conflict: [409, "The request conflicts with what is stored"],
  stale_version: [412, "It has changed since"],
  version_required: [428, "The version that the change is meant for is needed"],
  busy: [503, "Too many writes are waiting"],
  not_owner: [503, "This replica may not write now"],
  write_uncertain: [503, "Whether the write was stored is not known"],
  kafka_unavailable: [503, "Kafka does not answer"],
  clickhouse_unavailable: [503, "ClickHouse does not answer"],
  too_many_queries: [503, "Too many queries are waiting"],
  tenants_not_served: [503, "Tenants' questions are not answered here"],
} as const satisfies ProblemKinds;
export type ControlProblemKind = keyof typeof KINDS;

/** A problem that control answers with instead of success. */
export class ControlProblem extends ProblemError<ControlProblemKind> {
  override readonly name = "ControlProblem";

  constructor(
    code: ControlProblemKind,
    detail: string,
    options?: ProblemOptions,
  ) {
    super(KINDS, code, detail, options);
  }
}

/** What an operation says of the problems that it answers with. */
export function kinds(...codes: readonly ControlProblemKind[]): ProblemKinds {
  return Object.fromEntries(codes.map((code) => [code, KINDS[code]]));
}

/** Of what reads the recorded rows. */
export const READ_KINDS = kinds(
  "clickhouse_unavailable",
  "too_many_queries",
  "tenants_not_served",
);

/** Of what asks ClickHouse for what the caller says. */
export const QUERY_KINDS = { ...kinds("query_failed"), ...READ_KINDS };

/** Of what writes. */
export const WRITE_KINDS = kinds("busy", "not_owner", "write_uncertain");

/** Of a write that is meant for one version. */
export const VERSION_KINDS = kinds("stale_version", "version_required");
