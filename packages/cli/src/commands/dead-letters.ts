import { Command } from "commander";
import type { Run } from "../command.ts";
import { listCommand } from "../lists/list-command.ts";
import { redriveDeadLetters } from "./redrives.ts";
import { cell, REPLAY, WINDOW, type ListSpec } from "../lists/list-spec.ts";

const DEAD_LETTERS: ListSpec = {
  path: "/v1/dead-letters",
  field: "deadLetters",
  filters: [
    ...WINDOW,
    ["--delivery <id>", "deliveryId", "of this delivery"],
    [
      "--reason <reason>",
      "reason",
      "such as exhausted; paused: parked; several with commas",
    ],
    [
      "--status-code <code>",
      "statusCode",
      "whose last answer was 503, a class such as 5xx, or none",
    ],
    ["--open", "open", "not delivered since, by a redrive or a resume"],
    REPLAY,
    [
      "--text <text>",
      "text",
      "with this text in the detail, the field or the rule",
    ],
  ],
  header: [
    "given up",
    "reason",
    "endpoint",
    "delivery",
    "event",
    "attempts",
    "now",
    "log",
    "detail",
  ],
  cellsOf: (row) => [
    cell(row["deadAt"]),
    cell(row["reason"]),
    cell(row["endpointId"]),
    cell(row["deliveryId"]),
    cell(row["eventId"]),
    cell(row["attempts"]),
    row["isDelivered"] === true ? "delivered" : "",
    `${cell(row["logTopic"])}/${cell(row["logPartition"])}@${cell(row["logOffset"])}`,
    cell(row["detail"]),
  ],
};

export function deadLettersCommand(run: Run): Command {
  return new Command("dead-letters")
    .description("what was given up or parked, and why")
    .addCommand(listCommand(run, DEAD_LETTERS, "dead letters, newest first"))
    .addCommand(redriveDeadLetters(run));
}
