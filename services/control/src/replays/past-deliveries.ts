/**
 * What replays read of ClickHouse. Every method rejects with the problem `clickhouse_unavailable` while ClickHouse does not answer, and
 * with `query_failed` if it refuses the selection's SQL.
 */
import type { EpochMs, ReplayPlace } from "@postrider/core";
import type { LogRange } from "@postrider/messaging";
import { isInlineEndpoint, type Candidate } from "./candidate.ts";
import type { RecordedEvent } from "./rebuilt-delivery.ts";
import { countsSql, withoutDeliverySql } from "./counts-sql.ts";
import { endpointKey, lostPayloads, type Lost } from "./lost-payloads.ts";
import {
  candidatesSql,
  eventSql,
  lettersSql,
  MAX_SKEW_MS,
  namedSql,
  unitsSql,
  type Selected,
  type SelectionSql,
} from "./selection-sql.ts";

export interface PastDeliveries {
  /** The next candidates of the selection, in its order; at most `limit`. */
  page(
    selected: Selected,
    after: ReplayPlace | null,
    limit: number,
  ): Promise<Page>;
  /** The candidate's event as it was recorded; `undefined` if it is not. */
  event(candidate: ReplayPlace): Promise<RecordedEvent | undefined>;
  /**
   * How many candidates there are, by endpoint; the endpoint with the most first. With `log`, which is what the topic `dead-letters` holds
   * now, also of how many the payload is lost; without it, none seems to be.
   */
  counts(
    selected: Selected,
    log?: readonly LogRange[],
  ): Promise<EndpointCount[]>;
  /** How many dead letters match that have no delivery, by reason: no replay can send them. */
  withoutDelivery(selected: Selected): Promise<Record<string, number>>;
  /** Which of the named deliveries are recorded. */
  named(selected: Selected): Promise<Named[]>;
  /** How many days before today (UTC) may be selected: ClickHouse has every row of them. */
  wholeDays(): Promise<number>;
}

export interface Page {
  readonly candidates: readonly Candidate[];
  /** Everything of the selection up to here is in `candidates`; null where nothing follows. */
  readonly upTo: ReplayPlace | null;
  /** Where the dead letter of a delivery is in `dead-letters`, by the delivery's id. */
  readonly letters: ReadonlyMap<string, LetterPlace>;
}

export interface LetterPlace {
  readonly partition: number;
  readonly offset: number;
}

export interface EndpointCount {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly total: number;
  readonly parked: number;
  readonly underWay: number;
  readonly delivered: number;
  /** Neither a dead letter nor the table `events` has it. */
  readonly payloadGone: number;
  /** Only `events` has it, without the values of its secret headers. */
  readonly headersRedacted: number;
  readonly oldest: EpochMs;
  readonly newest: EpochMs;
}

export interface Named {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly receivedAt: EpochMs;
}

/**
 * `select` runs a SELECT and resolves to its rows; numbers are numbers. `isOperators`: an operator's SQL is a part of it. `wholeDays`: how many
 * days before today ClickHouse has every row of.
 */
export function createPastDeliveries(
  select: <Row>(
    sql: string,
    values: Readonly<Record<string, unknown>>,
    isOperators?: boolean,
  ) => Promise<Row[]>,
  wholeDays: () => Promise<number>,
): PastDeliveries {
  async function rowsOf<Row>(
    { sql, values }: SelectionSql,
    isOperators = false,
  ): Promise<Row[]> {
    const all = { ...values, wholeDays: await wholeDays() };
    return await select<Row>(sql, all, isOperators);
  }

  return {
    wholeDays,
    async page(selected, after, limit) {
      const isOperators = selected.selection.sql !== null;
      const units = await rowsOf<UnitRow>(
        unitsSql(selected, after, limit),
        isOperators,
      );
      const last = units.at(-1);
      if (last === undefined)
        return { candidates: [], upTo: null, letters: new Map() };
      const upTo = placeOf(last);
      const oldest = units.reduce(
        (least, { received }) => Math.min(least, received),
        last.received,
      );
      const rows = await rowsOf<CandidateRow>(
        candidatesSql(selected, after, upTo),
        isOperators,
      );
      // Only then: of a delivery that expires meanwhile, the first would see that it has, and the other not yet its dead letter.
      const letters = await rowsOf<LetterRow>(
        lettersSql(selected, after, upTo, oldest - MAX_SKEW_MS),
        isOperators,
      );
      return {
        candidates:
          selected.kind === "backfill"
            ? backfilled(units, rows)
            : rows.map(candidateOf),
        upTo,
        letters: new Map(
          letters.map((row) => [
            row.delivery_id,
            { partition: row.log_partition, offset: row.log_offset },
          ]),
        ),
      };
    },
    async event(candidate) {
      const { sql, values } = eventSql(candidate);
      const [row] = await select<EventRow>(sql, values);
      return row && recordedEventOf(row);
    },
    async counts(selected, log) {
      const isOperators = selected.selection.sql !== null;
      const ask = async <Row>(of: SelectionSql) =>
        await rowsOf<Row>(of, isOperators);
      const rows = await ask<CountRow>(countsSql(selected, log ?? null));
      // Most often `dead-letters` has them all, and `events` is not asked.
      const isAsked = rows.some(
        (row) => row.without_letter > 0 && !isInlineEndpoint(row.endpoint_id),
      );
      const total = rows.reduce((sum, row) => sum + row.total, 0);
      const lost =
        log !== undefined && isAsked
          ? await lostPayloads(ask, { selected, log, total })
          : new Map<string, Lost>();
      return rows.map((row) => ({
        tenantId: row.tenant_id,
        endpointId: row.endpoint_id,
        total: row.total,
        parked: row.parked,
        underWay: row.under_way,
        delivered: row.delivered,
        // The URL and the secret of an inline destination are in no event.
        payloadGone: isInlineEndpoint(row.endpoint_id)
          ? row.without_letter
          : (lost.get(endpointKey(row))?.payloadGone ?? 0),
        headersRedacted: lost.get(endpointKey(row))?.headersRedacted ?? 0,
        oldest: row.oldest,
        newest: row.newest,
      }));
    },
    async withoutDelivery(selected) {
      const asked = withoutDeliverySql(selected);
      if (asked === null) return {};
      const rows = await rowsOf<ReasonRow>(asked);
      return Object.fromEntries(
        rows.map(({ reason, letters }) => [reason, letters]),
      );
    },
    async named(selected) {
      const rows = await rowsOf<NamedRow>(namedSql(selected));
      return rows.map((row) => ({
        deliveryId: row.delivery_id,
        endpointId: row.endpoint_id,
        receivedAt: row.received,
      }));
    },
  };
}

interface EventRow {
  readonly event_type: string;
  readonly occurred: number | null;
  readonly content_type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  readonly payload_bytes: number;
  readonly source_topic: string;
  readonly source_partition: number;
  readonly source_offset: number;
}

function recordedEventOf(row: EventRow): RecordedEvent {
  return {
    eventType: row.event_type,
    occurredAt: row.occurred,
    contentType: row.content_type,
    headers: row.headers,
    payload: Buffer.from(row.payload, "base64"),
    payloadBytes: row.payload_bytes,
    sourceTopic: row.source_topic,
    sourcePartition: row.source_partition,
    sourceOffset: row.source_offset,
  };
}

interface UnitRow {
  readonly tenant_id: string;
  readonly received: number;
  readonly event_id: string;
  readonly endpoint_id: string;
}

interface CandidateRow extends UnitRow {
  readonly ids: readonly string[];
  readonly statuses: readonly string[];
  readonly reasons: readonly string[];
}

interface LetterRow {
  readonly delivery_id: string;
  readonly log_partition: number;
  readonly log_offset: number;
}

interface CountRow {
  readonly tenant_id: string;
  readonly endpoint_id: string;
  readonly total: number;
  readonly parked: number;
  readonly under_way: number;
  readonly delivered: number;
  readonly without_letter: number;
  readonly oldest: number;
  readonly newest: number;
}

interface ReasonRow {
  readonly reason: string;
  readonly letters: number;
}

interface NamedRow {
  readonly delivery_id: string;
  readonly endpoint_id: string;
  readonly received: number;
}

function placeOf(row: UnitRow): ReplayPlace {
  return {
    tenantId: row.tenant_id,
    receivedAt: row.received,
    eventId: row.event_id,
    endpointId: row.endpoint_id,
  };
}

/** Each event, with its deliveries to the endpoint where it has any. */
function backfilled(
  units: readonly UnitRow[],
  rows: readonly CandidateRow[],
): Candidate[] {
  const eventOf = ({ received, event_id }: UnitRow): string =>
    `${received} ${event_id}`;
  const found = new Map(rows.map((row) => [eventOf(row), candidateOf(row)]));
  return units.map(
    (unit) => found.get(eventOf(unit)) ?? { ...placeOf(unit), deliveries: [] },
  );
}

function candidateOf(row: CandidateRow): Candidate {
  return {
    ...placeOf(row),
    deliveries: row.ids.map((id, at) => ({
      id,
      status: row.statuses[at] ?? "",
      deadLetterReason: row.reasons[at] ?? "",
    })),
  };
}
