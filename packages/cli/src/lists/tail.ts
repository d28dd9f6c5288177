/**
 * Follows a list: asks every other second for the rows of the last two minutes, and prints those that are new and those that have
 * changed. Rows come in an order of their own, because each partition is recorded at its own pace: what follows the last row only
 * would miss those that were recorded late.
 */
import { sleep } from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { interrupted } from "../interrupted.ts";
import { visible, type Terminal } from "../terminal.ts";
import { askPage, type ListPage } from "./list-pages.ts";
import { parametersOf, type ListSpec, type Row } from "./list-spec.ts";

export interface TailSpec extends ListSpec {
  /** What is the same in all versions of a row. */
  readonly idOf: (row: Row) => string;
  /** What makes a row worth showing again, when it differs. */
  readonly versionOf: (row: Row) => string;
}

export interface TailOptions {
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly every?: number;
  readonly since?: string;
}

const LOOK_BACK = "2m";
const PAGE = 500;
/** At most so many pages are read each time. */
const MAX_PAGES = 10;
/** So many rows are remembered: those of two minutes, as far as they are read. */
const MAX_SEEN = 50_000;
const USUAL_EVERY_MS = 2_000;

/** Ends by Ctrl-C alone, with 130. */
export async function tail(
  list: TailSpec,
  options: TailOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const stop = new AbortController();
  const ended = interrupted().then(() => stop.abort());
  await Promise.race([ended, follow(list, options, terminal, stop.signal)]);
  return EXIT.interrupted;
}

async function follow(
  list: TailSpec,
  options: TailOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const control = findAddresses().control();
  const parameters = parametersOf(list.filters, { ...options });
  parameters.set("limit", String(PAGE));
  const seen = new Map<string, string>();
  // Without --since the rows of before are not shown, unless they change.
  let isShown = options.since !== undefined;
  parameters.set("since", options.since ?? LOOK_BACK);
  terminal.say("Following; Ctrl-C ends it");
  const pause = (): Promise<void> =>
    sleep(options.every ?? USUAL_EVERY_MS, { signal });
  let isAway = false;
  while (!signal.aborted) {
    let found: NewRows;
    try {
      found = await newRows(list, seen, async (cursor) => {
        const asked = new URLSearchParams(parameters);
        if (cursor !== null) asked.set("cursor", cursor);
        return await askPage(control, list, asked);
      });
    } catch (error) {
      // What failed before the first answer is for a person to mend.
      if (!isShown || !isUnreachable(error)) throw error;
      if (!isAway) terminal.say(`${error.message} Following goes on.`);
      isAway = true;
      await pause();
      continue;
    }
    isAway = false;
    const { rows, isCut } = found;
    if (isShown && isCut)
      terminal.say(
        `More came than is read at once: the oldest of them are left out. A list has them all (list --since ${LOOK_BACK} --all).`,
      );
    if (isShown)
      for (const row of rows.toReversed()) show(list, row, options, terminal);
    isShown = true;
    parameters.set("since", LOOK_BACK);
    await pause();
  }
}

/** Control restarts, or ClickHouse is away for a moment. */
function isUnreachable(error: unknown): error is CliError {
  return error instanceof CliError && error.exitCode === EXIT.unreachable;
}

interface NewRows {
  /** Newest first. */
  readonly rows: readonly Row[];
  /** There were more pages than are read. */
  readonly isCut: boolean;
}

/** Reads pages until one has nothing new. What it has read before a page failed is new again the next time. */
async function newRows(
  { idOf, versionOf }: TailSpec,
  seen: Map<string, string>,
  ask: (cursor: string | null) => Promise<ListPage>,
): Promise<NewRows> {
  const rows: Row[] = [];
  const done = (isCut: boolean): NewRows => {
    for (const row of rows) remember(seen, idOf(row), versionOf(row));
    return { rows, isCut };
  };
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await ask(cursor);
    const fresh = answer.rows.filter(
      (row) => seen.get(idOf(row)) !== versionOf(row),
    );
    rows.push(...fresh);
    cursor = answer.nextCursor;
    if (cursor === null) return done(false);
    if (answer.rows.length > 0 && fresh.length === 0) return done(false);
  }
  return done(true);
}

function remember(
  seen: Map<string, string>,
  id: string,
  version: string,
): void {
  seen.delete(id); // so that those seen last are forgotten last
  seen.set(id, version);
  const [oldest] = seen.keys();
  if (seen.size > MAX_SEEN && oldest !== undefined) seen.delete(oldest);
}

function show(
  { cellsOf }: TailSpec,
  row: Row,
  { json, ndjson }: TailOptions,
  terminal: Terminal,
): void {
  terminal.line(
    json === true || ndjson === true
      ? JSON.stringify(row)
      : cellsOf(row).map(visible).join("  ").trimEnd(),
  );
}
