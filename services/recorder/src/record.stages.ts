/** For each recorded topic, how its records become rows of its table. `intake` fills the table `events`. */
import type { Attempt, DeadLetter, Intake } from "@postrider/core";
import { rawDeadLetter } from "@postrider/messaging";
import type { RecordStage } from "@postrider/messaging";
import {
  ATTEMPT_COLUMNS,
  DEAD_LETTER_COLUMNS,
  EVENT_COLUMNS,
  rowOf,
} from "./columns.ts";
import type { Row } from "./columns.ts";

export const intakeStage: RecordStage<Intake, Row> = {
  rowOf: ({ raw, value }) => rowOf(EVENT_COLUMNS, value, raw),
};

export const attemptsStage: RecordStage<Attempt, Row> = {
  rowOf: ({ raw, value }) => rowOf(ATTEMPT_COLUMNS, value, raw),
};

export const deadLettersStage: RecordStage<DeadLetter, Row> = {
  rowOf: ({ raw, value }) => rowOf(DEAD_LETTER_COLUMNS, value, raw),
  /** Reason and coordinates only: the value that ClickHouse refused must not be refused again. The record itself stays in its topic for 30 days. */
  reducedRowOf: (raw, { reason, detail }, deadAt) =>
    rowOf(
      DEAD_LETTER_COLUMNS,
      {
        ...rawDeadLetter(raw, { reason, detail, stage: "record", deadAt }),
        receivedAt: null,
      },
      raw,
    ),
};
