/** For each recorded topic, how its records become rows of its table. `intake` fills the table `events`. */
import type {
  Attempt,
  AuditEntry,
  DeadLetter,
  Intake,
  Signal,
} from "@postrider/core";
import { rawDeadLetter } from "@postrider/messaging";
import type { RecordStage } from "@postrider/messaging";
import type { Row } from "./columns.ts";

export const intakeStage: RecordStage<Intake, Row<Intake>> = {
  rowOf: (record) => record,
};

export const attemptsStage: RecordStage<Attempt, Row<Attempt>> = {
  rowOf: (record) => record,
};

export const signalsStage: RecordStage<Signal, Row<Signal>> = {
  rowOf: (record) => record,
};

export const auditStage: RecordStage<AuditEntry, Row<AuditEntry>> = {
  rowOf: (record) => record,
};

export const deadLettersStage: RecordStage<DeadLetter, Row<DeadLetter>> = {
  rowOf: (record) => record,
  /** Reason and coordinates only: the value that ClickHouse refused must not be refused again. The record itself stays in its topic for 30 days. */
  reducedRowOf: (raw, { reason, detail }, deadAt) => ({
    raw,
    value: {
      ...rawDeadLetter(raw, { reason, detail, stage: "record", deadAt }),
      receivedAt: null,
    },
  }),
};
