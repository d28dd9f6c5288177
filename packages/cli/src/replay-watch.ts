/** `replay watch`: shows a replay's progress until nothing more comes. */
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, EXIT } from "./cli-error.ts";
import { deliveries, leftOutText, type Replay } from "./replay-lines.ts";
import type { Terminal } from "./terminal.ts";

const POLL_EVERY_MS = 500;
/** How long control may be away while we watch: a new owner begins within a session timeout. */
const PATIENCE_MS = 60_000;
/** Over how long its rate is measured: long enough that a page of its work does not look like a standstill. */
const MEASURED_OVER_MS = 30_000;
/** Sooner than this, one chunk more or less would say too much. */
const MEASURED_FROM_MS = 2_000;

/**
 * Resolves to the replay once it is done. Throws `CliError` where it was cancelled, where it has left something out that may still be
 * missing at its receiver, and where it has not found again all that was selected. While it is paused, watching goes on. A replica of control that has not read a new replay yet does not
 * know it.
 */
export async function watchReplay(
  first: Replay,
  read: () => Promise<Replay>,
  terminal: Pick<Terminal, "progress">,
  {
    pollEveryMs = POLL_EVERY_MS,
    now = () => performance.now(),
  }: { readonly pollEveryMs?: number; readonly now?: () => number } = {},
): Promise<Replay> {
  let replay = first;
  let seenAt = now();
  let readings: readonly Reading[] = [];
  while (replay.state === "running" || replay.state === "paused") {
    readings = withReading(readings, replay, seenAt);
    terminal.progress(progressOf(replay, paceOf(readings)), replay);
    await sleep(pollEveryMs);
    try {
      replay = await read();
      seenAt = now();
    } catch (error) {
      const code = error instanceof CliError ? error.exitCode : undefined;
      const mayCome = code === EXIT.unreachable || code === EXIT.notFound;
      if (!mayCome || now() - seenAt > PATIENCE_MS) throw error;
    }
  }
  if (replay.state !== "done") throw stopped(replay);
  if (missing(replay) !== "" || replay.done < replay.total)
    throw incomplete(replay);
  return replay;
}

/** How many it had looked at, at a time in milliseconds. */
interface Reading {
  readonly at: number;
  readonly done: number;
}

/** The readings that its rate is measured by. While it is paused, or waits for something, it has none. */
function withReading(
  readings: readonly Reading[],
  { state, detail, done }: Replay,
  at: number,
): readonly Reading[] {
  if (state === "paused" || detail !== null) return [];
  if (at === readings.at(-1)?.at) return readings;
  const kept = readings.filter((each) => each.at > at - MEASURED_OVER_MS);
  return [...kept, { at, done }];
}

/** Deliveries a second, as it was seen to go; null where that cannot be told yet. */
function paceOf(readings: readonly Reading[]): number | null {
  const [first] = readings;
  const last = readings.at(-1);
  if (first === undefined || last === undefined) return null;
  const overMs = last.at - first.at;
  return overMs < MEASURED_FROM_MS
    ? null
    : ((last.done - first.done) * 1_000) / overMs;
}

function progressOf(replay: Replay, pace: number | null): string {
  const { state, detail, done, total, sent } = replay;
  const goes =
    state === "paused" ? "paused" : (detail ?? paceText(replay, pace));
  return `looked at ${done} of ${total}, sent ${deliveries(sent)}; ${goes}`;
}

/** Until its rate is measured, the time is that of the rate that it may have. */
function paceText(
  { done, total, secondsLeft }: Replay,
  pace: number | null,
): string {
  if (pace === null) return `about ${secondsLeft ?? 0} s`;
  const rate = `${pace >= 10 ? Math.round(pace) : Number(pace.toFixed(1))} a second`;
  return pace > 0
    ? `${rate}, about ${Math.ceil(Math.max(0, total - done) / pace)} s`
    : rate;
}

/** What its receiver has, will get without us, or does not want, is not missing. */
const NOT_MISSING = new Set(["delivered", "under_way", "parked", "filtered"]);

function missing({ leftOut }: Replay): string {
  return leftOutText(
    Object.fromEntries(
      Object.entries(leftOut).filter(([reason]) => !NOT_MISSING.has(reason)),
    ),
  );
}

function incomplete(replay: Replay): CliError {
  const { id, sent, done, total } = replay;
  const leftOut = missing(replay);
  return new CliError(
    EXIT.failed,
    `Replay ${id} is done, but could not send everything.`,
    {
      why: [
        `It has sent ${deliveries(sent)}${leftOut === "" ? "" : ` and left out ${leftOut}`}.`,
        ...(done < total ? [notFound(total - done)] : []),
      ].join(" "),
      next:
        leftOut === ""
          ? `npx postrider replay get ${id}   (its selection; a new replay of the same leaves out what this one has sent)`
          : `npx postrider audit list --id ${id} --action left_out --all   (which ones)`,
    },
  );
}

/** Its records do not name them: they were counted, and never read. */
function notFound(count: number): string {
  return `${count} of those that were selected were not found when their turn came, and not sent: ClickHouse has dropped their day since, or the SQL of the selection does not return them any more.`;
}

function stopped({ id, state, sent, total, done }: Replay): CliError {
  return new CliError(
    EXIT.failed,
    `Replay ${id} was stopped before it was done: ${state}.`,
    {
      why: `It has sent ${deliveries(sent)}; ${total - done} were not looked at.`,
      next: "npx postrider replay create   (a new one leaves out what this one has sent)",
    },
  );
}
