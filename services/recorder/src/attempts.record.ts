/** Topic `attempts` → table `attempts`. */
import type { Attempt } from "@postrider/core";
import type { RecordStage } from "@postrider/messaging";
import { ATTEMPT_COLUMNS, rowOf } from "./columns.ts";
import type { Row } from "./columns.ts";

export const attemptsStage: RecordStage<Attempt, Row> = {
  rowOf: ({ raw, value }) => rowOf(ATTEMPT_COLUMNS, value, raw),
};
