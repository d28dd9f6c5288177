/** Topic `dead-letters` → table `dead_letters`. */
import type { DeadLetter } from "@postrider/core";
import { rawDeadLetter } from "@postrider/messaging";
import type { RecordStage } from "@postrider/messaging";
import { DEAD_LETTER_COLUMNS, rowOf } from "./columns.ts";
import type { Row } from "./columns.ts";

export const deadLettersStage: RecordStage<DeadLetter, Row> = {
  rowOf: ({ raw, value }) => rowOf(DEAD_LETTER_COLUMNS, value, raw),
  /** Reason and coordinates only: whatever was refused must not be refused again. The record itself stays in the topic for 30 days. */
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
