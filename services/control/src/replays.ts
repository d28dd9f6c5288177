/** Wires what replays need: their store, what they read of ClickHouse and Kafka, the runner that works them off, and their routes. */
import type { ControlEntry, Endpoint, Replay } from "@postrider/core";
import type { Routes } from "@postrider/http";
import {
  createAskedAdmin,
  groupIdOf,
  topicName,
  type AskedAdmin,
  type Kafka,
  type LogRange,
  type OutRecord,
  type Output,
  type RawRecord,
  type Schemas,
  type Table,
} from "@postrider/messaging";
import { LATE, within, type Effects, type Lifecycle } from "@postrider/runtime";
import type { AuditTrail } from "./audit/audit-trail.ts";
import type { ControlConfig } from "./config.ts";
import { ControlProblem } from "./http/problem.ts";
import { judgeSubquery } from "./reads/query-guard.ts";
import type { Reader } from "./reads/reader.ts";
import { readingOf } from "./reads/whose-rows.ts";
import { openLetterLog } from "./replays/letter-log.ts";
import { createPastDeliveries } from "./replays/past-deliveries.ts";
import type { Offsets, WatchedTopic } from "./replays/recorded.ts";
import { replayRoutes } from "./replays/replay-routes.ts";
import { runReplay } from "./replays/replay-run.ts";
import { createReplayRunner } from "./replays/replay-runner.ts";
import {
  createReplayStore,
  type ReplayStoreOptions,
} from "./replays/replay-store.ts";
import { createWholeDays, forTenants } from "./replays/whole-days.ts";
import { keptAnswer } from "./system/kept-answer.ts";
import type { Ownership } from "./writer/ownership.ts";
import type { TenureWriter } from "./writer/tenure-writer.ts";

export interface Replays {
  readonly runner: Lifecycle;
  readonly routes: Routes;
}

export function composeReplays(
  options: Pick<Effects, "clock" | "log" | "meter"> & {
    readonly config: ControlConfig;
    readonly kafka: Kafka;
    readonly schemas: Schemas;
    readonly output: Pick<Output, "send">;
    readonly ownership: Ownership;
    readonly tenureWriter: TenureWriter;
    readonly auditTrail: AuditTrail;
    readonly reader: Reader;
    /** The table of the topic `control`. */
    readonly entries: Table<ControlEntry>;
    readonly endpoints: Table<Endpoint>;
    /** Called when everything was sent or left out, before that is stored; again, if it could not be stored. */
    readonly finished: (replay: Replay) => Promise<void>;
    /** What is written in the transaction that ends a replay as done, besides. */
    readonly alsoWrittenAtEnd: ReplayStoreOptions["alsoWrittenAtEnd"];
  },
): Replays {
  const { clock, log, config, kafka, schemas, ownership, endpoints } = options;
  const { topicPrefix: prefix, sessionTimeoutMs, unknownSchemaWaitMs } = config;
  const { reader } = options;
  // A run goes on for hours, also while tenants are not served: it reads as control itself, with the tenant in every condition.
  const wholeDays = keptAnswer(createWholeDays(reader.select, log), {
    forMs: WHOLE_KEPT_MS,
    clock,
  });
  const past = createPastDeliveries(reader.select, wholeDays);
  const store = createReplayStore({
    clock,
    log,
    tenureWriter: options.tenureWriter,
    table: options.entries,
    encode: schemas.encode,
    topic: topicName(prefix, "control"),
    audit: options.auditTrail,
    alsoWrittenAtEnd: options.alsoWrittenAtEnd,
  });
  const asked = createAskedAdmin(() => kafka.admin());
  const offsets = offsetsOf(asked, prefix);
  const run = {
    clock,
    log,
    store,
    endpoints,
    past,
    openLetters: (signal: AbortSignal) =>
      openLetterLog({
        kafka,
        topic: topicName(prefix, "dead-letters"),
        sessionTimeoutMs,
        signal,
      }),
    decode: schemas.decoderOf("dead-letters"),
    unknownSchemaWaitMs,
    offsets,
    send: (record: OutRecord, source?: RawRecord) =>
      options.output.send([record], source),
    finished: options.finished,
    heartbeatAgeMs: ownership.heartbeatAgeMs,
    sessionTimeoutMs,
  };
  const runner = createReplayRunner({
    clock,
    log,
    meter: options.meter,
    ownership,
    store,
    run: (id, { hasRun, ...context }) =>
      runReplay({ ...run, hasRun }, id, context),
  });
  return {
    runner: {
      start: runner.start,
      async stop(deadline) {
        await runner.stop(deadline);
        await asked.stop(deadline);
      },
    },
    routes: replayRoutes({
      store,
      pastFor: (caller) =>
        createPastDeliveries(
          readingOf(reader, caller).select,
          caller.tenantId === null ? wholeDays : forTenants(wholeDays),
        ),
      deadLetterLog: () => logOf(offsets),
      endpoints,
      clock,
      defaultRate: config.replayRate,
      judgeSql: judgeSubquery,
    }),
  };
}

/** Much shorter than ClickHouse takes to drop what a shortened TTL lets go, and seldom beside a page's own queries. */
const WHOLE_KEPT_MS = 10_000;

/** A person waits for the preview. */
const ANSWER_WITHIN_MS = 5_000;

/** What `dead-letters` holds. Throws a `ControlProblem` while Kafka does not answer. */
async function logOf(
  offsets: Pick<Offsets, "ranges">,
): Promise<readonly LogRange[]> {
  try {
    const found = await within(
      offsets.ranges("dead-letters"),
      ANSWER_WITHIN_MS,
    );
    if (found !== LATE) return found;
    throw new Error(`no answer within ${ANSWER_WITHIN_MS} ms`);
  } catch (cause) {
    throw new ControlProblem(
      "kafka_unavailable",
      "What dead-letters holds could not be asked for, so it is not known what can be sent again; try again.",
      { headers: { "retry-after": "1" }, cause },
    );
  }
}

function offsetsOf({ ask }: AskedAdmin, prefix: string): Offsets {
  const groupOf = (topic: WatchedTopic): string =>
    groupIdOf(
      prefix,
      topic === "deliveries" ? "dispatcher" : `recorder.${topic}`,
    );
  return {
    ranges: (name) =>
      ask(async (admin): Promise<LogRange[]> => {
        const topic = topicName(prefix, name);
        const ranges = await admin.fetchLogRanges([topic]);
        const count = (await admin.partitionCounts([topic])).get(topic);
        if (count !== ranges.length)
          throw new Error(`a partition of ${topic} has no leader now`);
        return ranges;
      }),
    committed: (name) =>
      ask((admin) =>
        admin.fetchCommitted(groupOf(name), [topicName(prefix, name)]),
      ),
  };
}
