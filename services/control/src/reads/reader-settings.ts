/** What ClickHouse is told to allow an operator's questions. A tenant's bring none: its user's profile has them. */
import type { ClickHouseSettings } from "./clickhouse-client.ts";

export const MAX_QUERY_ROWS = 10_000;
export const MAX_QUERY_BYTES = 8 * 1024 * 1024;
/** ClickHouse's own cap on a result, counted in its own format, which is often larger than the text. So it ends only results far beyond the text's cap. */
const MAX_RESULT_BYTES = 8 * MAX_QUERY_BYTES;

/**
 * `readonly=1` makes ClickHouse refuse writes and, unlike `readonly=2`, every SETTINGS clause. With 2, on an engine whose
 * user has no profile, `SETTINGS max_execution_time=0` would lift the caps. The overflow mode `break` ends a result only at
 * the end of a block, so rows are capped again while they are read; to stop reading ends the query on the server.
 */
export function operatorSettings(timeoutMs: number): ClickHouseSettings {
  return {
    readonly: "1",
    max_execution_time: Math.max(1, Math.ceil(timeoutMs / 1000)),
    timeout_overflow_mode: "throw",
    max_result_rows: String(MAX_QUERY_ROWS + 1),
    max_result_bytes: String(MAX_RESULT_BYTES),
    result_overflow_mode: "break",
    max_memory_usage: String(2 * 1024 ** 3),
    cancel_http_readonly_queries_on_client_close: 1,
    ...JSON_OUTPUT,
  };
}

/** As for an operator's query; but no row may be missing, so nothing is cut off. */
export function selectSettings(timeoutMs: number): ClickHouseSettings {
  return {
    readonly: "1",
    max_execution_time: Math.max(1, Math.ceil(timeoutMs / 1000)),
    timeout_overflow_mode: "throw",
    max_memory_usage: String(2 * 1024 ** 3),
    optimize_aggregation_in_order: 1,
    ...SAVED_SETTINGS,
    ...JSON_OUTPUT,
  };
}

/** All rows of one key are in one partition of Postrider's tables. Otherwise `FINAL` reads every day of `events`, as its key has no time. */
export const SAVED_SETTINGS = {
  do_not_merge_across_partitions_select_final: 1,
} as const;

export const JSON_OUTPUT = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 1,
} as const;
