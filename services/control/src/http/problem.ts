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
  stale_version: [412, "The endpoint has changed since"],
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
