/** Topic `intake` → table `events`. */
import type { Intake } from "@postrider/core";
import type { RecordStage } from "@postrider/messaging";
import { EVENT_COLUMNS, rowOf } from "./columns.ts";
import type { Row } from "./columns.ts";

export const intakeStage: RecordStage<Intake, Row> = {
  rowOf: ({ raw, value }) => rowOf(EVENT_COLUMNS, value, raw),
};
