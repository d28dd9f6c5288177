/** Wires what resumes need: their store, what they ask Kafka, and the runner that works them off. */
import type { ControlEntry, Endpoint } from "@postrider/core";
import {
  readPartition,
  topicName,
  type Kafka,
  type Output,
  type Schemas,
  type Table,
} from "@postrider/messaging";
import type { Effects, Lifecycle } from "@postrider/runtime";
import type { AuditTrail } from "./audit/audit-trail.ts";
import type { ControlConfig } from "./config.ts";
import type { Ownership } from "./writer/ownership.ts";
import { createParkingLog } from "./resumes/parking-log.ts";
import { runResume, type ResumeRunOptions } from "./resumes/resume-run.ts";
import { createResumeRunner } from "./resumes/resume-runner.ts";
import { createResumeStore, type ResumeStore } from "./resumes/resume-store.ts";
import type { TenureWriter } from "./writer/tenure-writer.ts";

export interface Resumes {
  readonly store: ResumeStore;
  readonly parkingLog: Lifecycle;
  readonly runner: Lifecycle;
}

export function composeResumes(
  options: Pick<Effects, "clock" | "log" | "meter"> & {
    readonly config: ControlConfig;
    readonly kafka: Kafka;
    readonly schemas: Schemas;
    readonly output: Pick<Output, "send">;
    readonly ownership: Ownership;
    readonly tenureWriter: TenureWriter;
    readonly auditTrail: AuditTrail;
    /** The table of the topic `control`. */
    readonly entries: Table<ControlEntry>;
    readonly endpoints: Table<Endpoint>;
  },
): Resumes {
  const { clock, log, config, kafka, schemas, output, ownership } = options;
  const { topicPrefix: prefix, sessionTimeoutMs, unknownSchemaWaitMs } = config;
  const parkingLog = createParkingLog({
    admin: () => kafka.admin(),
    prefix,
    clock,
  });
  const { deadLetterLog, dispatchers } = parkingLog;
  const store = createResumeStore({
    clock,
    log,
    tenureWriter: options.tenureWriter,
    table: options.entries,
    endpoints: options.endpoints,
    encode: schemas.encode,
    topic: topicName(prefix, "control"),
    deadLetterLog,
    auditTrail: options.auditTrail,
  });
  const topic = topicName(prefix, "dead-letters");
  const run: ResumeRunOptions = {
    clock,
    log,
    store,
    endpoints: options.endpoints,
    deadLetterLog,
    dispatchers,
    read: (partition, range, signal) =>
      readPartition({
        kafka,
        topic,
        partition,
        ...range,
        signal,
        sessionTimeoutMs,
      }),
    decode: schemas.decoderOf("dead-letters"),
    send: (record, source) => output.send([record], source),
    heartbeatAgeMs: ownership.heartbeatAgeMs,
    sessionTimeoutMs,
    perSecond: config.resumeRate,
    unknownSchemaWaitMs,
  };
  const runner = createResumeRunner({
    clock,
    log,
    meter: options.meter,
    ownership,
    store,
    run: (resume, context) => runResume(run, resume, context),
  });
  return { store, parkingLog, runner };
}
