import { Option, type Command } from "commander";

export type Row = Readonly<Record<string, unknown>>;

/** A filter of a list: the command's option, the API's parameter, and the help's text. An option without a value means `true`. */
export type Filter = readonly [flag: string, parameter: string, help: string];

/** A list of the API, as the command shows it. */
export interface ListSpec {
  readonly path: string;
  /** The field of the answer that has the rows. */
  readonly field: string;
  readonly filters: readonly Filter[];
  readonly header: readonly string[];
  readonly cellsOf: (row: Row) => readonly string[];
}

const TIME = "RFC 3339, or how long ago: 15m, 6h, 7d";

export const TIMES: readonly Filter[] = [
  ["--since <time>", "since", `from this time on: ${TIME}`],
  ["--until <time>", "until", "before this time"],
];

export const REPLAY: Filter = [
  "--replay <id>",
  "replayId",
  "made by this replay",
];

export const WINDOW: readonly Filter[] = [
  ["--tenant <id>", "tenantId", "of this tenant"],
  ["--endpoint <id>", "endpointId", "for this endpoint"],
  ["--event <id>", "eventId", "of this event"],
  ["--type <type>", "eventType", "of events of this type: order.paid, order.*"],
  ...TIMES,
];

/** What an option's value is called among commander's options: `--status-code <code>` becomes `statusCode`. */
export function withFilters(
  command: Command,
  filters: readonly Filter[],
): Command {
  for (const [flag, , help] of filters) command.option(flag, help);
  return command;
}

/** The filters that were given, as the API's parameters. What a value must be is for control to say. */
export function parametersOf(
  filters: readonly Filter[],
  options: Readonly<Record<string, unknown>>,
): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [flag, parameter] of filters) {
    const value = options[new Option(flag).attributeName()];
    if (typeof value === "string") parameters.set(parameter, value);
    else if (value === true) parameters.set(parameter, "true");
  }
  return parameters;
}

/** A field of a row as a cell: nothing where it is null. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
