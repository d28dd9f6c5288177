import { duration } from "@postrider/runtime";
import { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi, pathSegment } from "../api.ts";
import { command, option, type Run } from "../command.ts";
import { listCommand } from "../lists/list-command.ts";
import {
  cell,
  REPLAY,
  WINDOW,
  withFilters,
  type Row,
} from "../lists/list-spec.ts";
import { redriveDelivery } from "./redrives.ts";
import { tail, type TailOptions, type TailSpec } from "../lists/tail.ts";
import { renderTimeline, type DeliveryTimeline } from "../lists/timeline.ts";

const DELIVERIES: TailSpec = {
  path: "/v1/deliveries",
  field: "deliveries",
  filters: [
    ...WINDOW,
    [
      "--status <status>",
      "status",
      "pending, failed, delivered, expired; several with commas",
    ],
    ["--min-attempts <n>", "minAttempts", "after so many attempts at least"],
    ["--max-attempts <n>", "maxAttempts", "after so many attempts at most"],
    [
      "--outcome <outcome>",
      "outcome",
      "of the last attempt, such as timeout; several with commas",
    ],
    [
      "--status-code <code>",
      "statusCode",
      "of the last attempt: 503, a class such as 5xx, or none",
    ],
    [
      "--waiting <reason>",
      "deferralReason",
      "put off for this reason, such as breaker_open",
    ],
    [
      "--reason <reason>",
      "deadLetterReason",
      "given up for this reason; paused: parked",
    ],
    REPLAY,
    [
      "--text <text>",
      "text",
      "with this text in an attempt's error, or of the event with this id",
    ],
  ],
  header: [
    "received",
    "delivery",
    "endpoint",
    "type",
    "status",
    "attempts",
    "last",
    "why",
    "next",
    "replay",
  ],
  cellsOf: (row) => [
    cell(row["receivedAt"]),
    cell(row["id"]),
    cell(row["endpointId"]),
    cell(row["eventType"]),
    cell(row["status"]),
    cell(row["attempts"]),
    `${cell(row["outcome"])} ${cell(row["statusCode"])}`.trim(),
    cell(row["deadLetterReason"]) || cell(row["deferralReason"]),
    cell(row["nextAttemptAt"]),
    cell(row["replayId"]),
  ],
  idOf: (row) => `${cell(row["id"])} ${cell(row["receivedAt"])}`,
  versionOf,
};

function versionOf(row: Row): string {
  const { status, attempts, deferralReason, deadLetterReason } = row;
  return JSON.stringify([status, attempts, deferralReason, deadLetterReason]);
}

export function deliveriesCommand(run: Run): Command {
  const get = command<{ tenant?: string }>(
    run,
    "get <id>",
    "one delivery with all that happened to it: attempts, waits, its endpoint's breaker, its end",
    async ({ args, options, terminal }) => {
      const tenant =
        options.tenant === undefined
          ? ""
          : `?${new URLSearchParams({ tenantId: options.tenant }).toString()}`;
      const delivery = (await callApi(findAddresses().control(), {
        method: "GET",
        path: `/v1/deliveries/${pathSegment(args[0] ?? "")}${tenant}`,
      })) as DeliveryTimeline; // this is what control's API answers
      terminal.data(delivery, () => renderTimeline(delivery, terminal));
    },
  ).option("--tenant <id>", "only if it is of this tenant");
  const follow = withFilters(
    command<TailOptions>(
      run,
      "tail",
      "print deliveries as they come, and again when they change within two minutes",
      async ({ options, terminal }) =>
        await tail(DELIVERIES, options, terminal),
    ),
    DELIVERIES.filters.filter(([flag]) => !flag.startsWith("--until")),
  )
    .option("--ndjson", "a line of JSON for each; as --json")
    .option(
      "--every <time>",
      "how often to ask (default: 2s)",
      option(duration),
    );
  return new Command("deliveries")
    .description("events on their way to endpoints, as they stand")
    .addCommand(listCommand(run, DELIVERIES, "deliveries, newest first"))
    .addCommand(get)
    .addCommand(follow)
    .addCommand(redriveDelivery(run));
}
