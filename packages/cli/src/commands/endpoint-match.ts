/** `endpoints match`: tries a filter with a payload, with an event, or with the events of some time. */
import { readFileSync } from "node:fs";
import { buffer as readStream } from "node:stream/consumers";
import { counted } from "@postrider/core";
import type { Judgement } from "@postrider/filter";
import { fileProblem, list } from "@postrider/runtime";
import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { command, option, type Run } from "../command.ts";
import { table, type Terminal } from "../terminal.ts";
import { call, read } from "./endpoint-requests.ts";

interface Given {
  readonly filter?: string;
  readonly payload?: string;
  readonly event?: string;
  readonly since?: string;
  readonly until?: string;
  readonly tenant?: string;
  readonly types?: readonly string[];
}

/** What `POST /v1/endpoints/match` answers. */
interface Match {
  readonly tenantId: string;
  readonly since: string;
  readonly events: number;
  readonly read: number;
  readonly passed: number;
  readonly filtered: number;
  readonly failed: number;
  readonly unknown: number;
  readonly failures: readonly {
    readonly reason: string;
    readonly count: number;
  }[];
}

export function match(run: Run): Command {
  return command<Given>(
    run,
    "match [id]",
    "try its filter, or another: with a payload, an event, or the events of some time",
    async ({ args: [id], options, terminal }) => {
      refuseMixed(id, options);
      return options.payload === undefined
        ? await matchRecorded(id, options, terminal)
        : await matchPayload(id, options, terminal);
    },
  )
    .option("--filter <expression>", "this one (default: the endpoint's own)")
    .option(
      "--payload <path>",
      "the payload of an event that there need not be; - is stdin",
    )
    .option("--event <id>", "an event that came in")
    .option(
      "--since <time>",
      "all that came in since then: RFC 3339, or how long ago: 15m, 6h, 7d (default: 1d)",
    )
    .option("--until <time>", "before this time")
    .option("--tenant <id>", "whose events (default: the endpoint's tenant)")
    .option(
      "--types <patterns>",
      "of these types (default: the endpoint's, or all); with --payload one type",
      option(list),
    );
}

function refuseMixed(id: string | undefined, options: Given): void {
  const { payload, event, since, until, filter, tenant } = options;
  if (id === undefined && filter === undefined)
    throw usage(
      "A filter is needed: an endpoint's, or --filter.",
      `npx postrider endpoints match --filter 'payload.total > 100' --payload order.json`,
    );
  if (payload !== undefined && [event, since, until].some(Boolean))
    throw usage(
      "--payload does not go with --event, --since or --until.",
      "Leave one of them out.",
    );
  if (payload === undefined && id === undefined && tenant === undefined)
    throw usage(
      "--tenant is needed without an endpoint: whose events?",
      `npx postrider endpoints match --filter 'payload.total > 100' --tenant TENANT --since 7d`,
    );
}

/** Here, without control, but for the endpoint's own filter. */
async function matchPayload(
  id: string | undefined,
  { filter: given, payload: path = "", tenant, types }: Given,
  terminal: Terminal,
): Promise<ExitCode> {
  const endpoint = id === undefined ? null : await read(id);
  const text = given ?? endpoint?.filter ?? undefined;
  if (text === undefined)
    throw usage(
      `${id} has no filter: it gets every event of its types.`,
      `npx postrider endpoints match ${id} --filter 'payload.total > 100' --payload ${path}`,
    );
  // Only here: no other command should wait until the CEL library is loaded.
  const { compileFilter, FilterSubject } = await import("@postrider/filter");
  const compiled = compileFilter(text);
  if (!compiled.ok)
    throw usage(`The filter is wrong: ${compiled.problem.message}.`);
  const subject = new FilterSubject(
    {
      id: "evt_example",
      type: types?.[0] ?? "example",
      tenantId: tenant ?? endpoint?.tenantId ?? "example",
      occurredAt: Date.now(),
    },
    await bytesOf(path),
  );
  const judged = compiled.filter.judge(subject);
  terminal.data({ filter: text, ...shown(judged) }, () => lineOf(judged));
  return judged.kind === "failed" ? EXIT.failed : EXIT.done;
}

async function bytesOf(path: string): Promise<Uint8Array> {
  if (path === "-") return await readStream(process.stdin);
  try {
    return readFileSync(path);
  } catch (error) {
    throw usage(fileProblem("--payload", path, error));
  }
}

function shown(judged: Judgement) {
  return {
    result: judged.kind,
    reason: judged.kind === "failed" ? judged.reason : null,
    steps: judged.steps,
  };
}

function lineOf(judged: Judgement): string {
  switch (judged.kind) {
    case "passed":
      return "passed: the endpoint gets it";
    case "filtered":
      return "filtered: the endpoint does not get it";
    case "failed":
      return `failed: the endpoint does not get it: ${judged.reason}`;
  }
}

async function matchRecorded(
  id: string | undefined,
  { filter, event, since, until, tenant, types }: Given,
  terminal: Terminal,
): Promise<ExitCode> {
  const found = await call<Match>({
    method: "POST",
    path: "/v1/endpoints/match",
    body: JSON.stringify({
      endpointId: id,
      filter,
      eventId: event,
      tenantId: tenant,
      eventTypes: types,
      since,
      until,
    }),
  });
  terminal.data(found, () => countLines(found, terminal));
  if (found.read < found.events)
    terminal.say(
      `Time ran out: ${found.read} of ${counted(found.events, "event")} were read (${percent(found)}), in the order of their ids; the counts are of these alone. A later --since leaves less to read.`,
    );
  const isOneThatFailed = event !== undefined && found.failed > 0;
  return isOneThatFailed ? EXIT.failed : EXIT.done;
}

/** Of the events, how many were read: `0.4 %`, `23 %`. */
function percent({ read: asked, events }: Match): string {
  const share = (100 * asked) / events;
  return `${share < 10 ? share.toFixed(1) : Math.floor(share)} %`;
}

function countLines(found: Match, terminal: Terminal): string {
  const { read: asked, events, tenantId, since } = found;
  const rows = [
    ["passed", String(found.passed), ""],
    ["filtered", String(found.filtered), ""],
    ["failed", String(found.failed), ""],
    ...found.failures.map(({ reason, count }) => ["", String(count), reason]),
    [
      "unknown",
      String(found.unknown),
      found.unknown > 0 ? "their payload was not kept" : "",
    ],
  ];
  return [
    `read ${asked} of ${counted(events, "event")} of ${tenantId} since ${since}`,
    table(["", "EVENTS", ""], rows, terminal),
  ].join("\n");
}

function usage(what: string, next?: string): CliError {
  return new CliError(EXIT.usage, what, { next });
}
