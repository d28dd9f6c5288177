/** `replay create`, `list`, `get`, `watch`, `pause`, `resume` and `cancel`. */
import { integer } from "@postrider/runtime";
import { Command } from "commander";
import { pathSegment } from "../api.ts";
import { command, option, repeated, type Run } from "../command.ts";
import { makeReplay, readReplay, watch, type Making } from "./make-replay.ts";
import { listCommand } from "../lists/list-command.ts";
import { cell, TIMES, type ListSpec } from "../lists/list-spec.ts";
import { replayLines, type Replay } from "../replay-lines.ts";
import {
  selectionOf,
  time,
  withSelection,
  type Selecting,
} from "../replay-selection.ts";
import { withWhy, type Why } from "../why.ts";
import { call } from "./endpoint-requests.ts";

export function replayCommand(run: Run): Command {
  return new Command("replay")
    .description("send past deliveries again")
    .addCommand(create(run))
    .addCommand(backfill(run))
    .addCommand(listCommand(run, REPLAYS, "replays, newest first"))
    .addCommand(get(run))
    .addCommand(watchOne(run))
    .addCommand(steer(run, "pause", "stop it until `replay resume`"))
    .addCommand(steer(run, "resume", "let it go on where it was paused"))
    .addCommand(
      steer(run, "cancel", "stop it for good; what it has sent stays sent"),
    );
}

function create(run: Run): Command {
  const made = command<Selecting & Making>(
    run,
    "create",
    "show what would be sent again, ask, and send it; without conditions: everything that has expired",
    async ({ options, terminal }) =>
      await makeReplay(selectionOf(options), options, terminal),
  );
  return withMaking(withSelection(made));
}

function backfill(run: Run): Command {
  const made = command<
    Making & Pick<Selecting, "eventType" | "since" | "until">
  >(
    run,
    "backfill <endpoint>",
    "send an endpoint the recorded events that it has no delivery of: those that it would want now",
    async ({ args: [endpoint], options, terminal }) =>
      await makeReplay(
        { kind: "backfill", ...selectionOf({ ...options, endpoint }) },
        options,
        terminal,
      ),
  )
    .option(
      "--event-type <pattern>",
      "instead of what the endpoint wants; may be repeated",
      repeated,
    )
    .requiredOption(
      "--since <time>",
      "only events received then or later: RFC 3339, or how long ago, such as 6h",
      option(time),
    )
    .option("--until <time>", "only events received before", option(time));
  return withMaking(made);
}

/** Options of every command that makes a replay. */
export function withMaking(made: Command): Command {
  return withWhy(made)
    .option(
      "--rate <n>",
      "deliveries a second, 1 to 10000 (default: control's POSTRIDER_REPLAY_RATE)",
      option(integer(1, 10_000)),
    )
    .option("--yes", "do not ask")
    .option("--watch", "show the progress, and end when it is done");
}

const REPLAYS: ListSpec = {
  path: "/v1/replays",
  field: "replays",
  filters: [
    [
      "--state <state>",
      "state",
      "running, paused, cancelled or done; several with commas",
    ],
    ["--kind <kind>", "kind", "redrive or backfill"],
    ["--by <key>", "createdBy", "made by this key; admin: POSTRIDER_ADMIN_KEY"],
    ["--tenant <id>", "tenantId", "of this tenant"],
    ...TIMES,
  ],
  header: ["created", "id", "kind", "state", "done", "sent", "by", "why"],
  cellsOf: (row) => [
    cell(row["createdAt"]),
    cell(row["id"]),
    cell(row["kind"]),
    cell(row["state"]),
    `${cell(row["done"])}/${cell(row["total"])}`,
    cell(row["sent"]),
    cell(row["createdBy"]),
    cell(row["why"]),
  ],
};

function get(run: Run): Command {
  return command<object>(
    run,
    "get <id>",
    "one replay: how far it is, and what it has left out",
    async ({ args, terminal }) => {
      const replay = await readReplay(args[0]);
      terminal.data(replay, () => replayLines(replay, terminal));
    },
  );
}

function watchOne(run: Run): Command {
  return command<object>(
    run,
    "watch <id>",
    "show its progress, and end when it is done",
    async ({ args, terminal }) =>
      await watch(await readReplay(args[0]), terminal),
  );
}

function steer(
  run: Run,
  action: "pause" | "resume" | "cancel",
  description: string,
): Command {
  const made = command<Why>(
    run,
    `${action} <id>`,
    description,
    async ({ args, options, terminal }) => {
      const replay = await call<Replay>({
        method: "POST",
        path: `/v1/replays/${pathSegment(args[0] ?? "")}/${action}`,
        body: JSON.stringify({ why: options.why }),
      });
      terminal.data(replay, () => replayLines(replay, terminal));
    },
  );
  return withWhy(made);
}
