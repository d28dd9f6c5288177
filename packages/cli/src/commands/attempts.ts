import { Command } from "commander";
import type { Run } from "../command.ts";
import { listCommand } from "../lists/list-command.ts";
import { cell, REPLAY, WINDOW, type ListSpec } from "../lists/list-spec.ts";

const ATTEMPTS: ListSpec = {
  path: "/v1/attempts",
  field: "attempts",
  filters: [
    ...WINDOW,
    ["--delivery <id>", "deliveryId", "of this delivery"],
    ["--outcome <outcome>", "outcome", "such as timeout; several with commas"],
    ["--status-code <code>", "statusCode", "503, a class such as 5xx, or none"],
    [
      "--trigger <trigger>",
      "trigger",
      "first, retry, redrive, replay, test; several with commas",
    ],
    REPLAY,
    [
      "--text <text>",
      "text",
      "with this text in the error or in the answer's body",
    ],
  ],
  header: [
    "started",
    "delivery",
    "n",
    "endpoint",
    "type",
    "outcome",
    "code",
    "ms",
    "error",
  ],
  cellsOf: (row) => [
    cell(row["startedAt"]),
    cell(row["deliveryId"]),
    cell(row["attemptNumber"]),
    cell(row["endpointId"]),
    cell(row["eventType"]),
    cell(row["outcome"]),
    cell(row["statusCode"]),
    cell(row["durationMs"]),
    cell(row["error"]),
  ],
};

export function attemptsCommand(run: Run): Command {
  return new Command("attempts")
    .description("the requests that were made")
    .addCommand(listCommand(run, ATTEMPTS, "attempts, newest first"));
}
