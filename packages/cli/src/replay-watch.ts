/** `replay watch`: shows a replay's progress until nothing more comes. */
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, EXIT } from "./cli-error.ts";
import { deliveries, leftOutText, type Replay } from "./replay-lines.ts";
import type { Terminal } from "./terminal.ts";

const POLL_EVERY_MS = 500;
/** How long control may be away while we watch: a new owner begins within a session timeout. */
const PATIENCE_MS = 60_000;

/**
 * Resolves to the replay once it is done. Throws `CliError` where it was cancelled, where it has left something out that may still be
 * missing at its receiver, and where it has not found again all that was selected. While it is paused, watching goes on. A replica of control that has not read a new replay yet does not
 * know it.
 */
export async function watchReplay(
  first: Replay,
  read: () => Promise<Replay>,
  terminal: Pick<Terminal, "progress">,
  pollEveryMs: number = POLL_EVERY_MS,
): Promise<Replay> {
  let replay = first;
  let seenAt = performance.now();
  while (replay.state === "running" || replay.state === "paused") {
    terminal.progress(progressOf(replay), replay);
    await sleep(pollEveryMs);
    try {
      replay = await read();
      seenAt = performance.now();
    } catch (error) {
      const code = error instanceof CliError ? error.exitCode : undefined;
      const mayCome = code === EXIT.unreachable || code === EXIT.notFound;
      if (!mayCome || performance.now() - seenAt > PATIENCE_MS) throw error;
    }
  }
  if (replay.state !== "done") throw stopped(replay);
  if (missing(replay) !== "" || replay.done < replay.total)
    throw incomplete(replay);
  return replay;
}

function progressOf(replay: Replay): string {
  const { state, detail, done, total, sent, secondsLeft } = replay;
  const waits =
    state === "paused" ? "paused" : (detail ?? `about ${secondsLeft ?? 0} s`);
  return `looked at ${done} of ${total}, sent ${deliveries(sent)}; ${waits}`;
}

/** What its receiver has, or will get without us, is not missing. */
const NOT_MISSING = new Set(["delivered", "under_way", "parked"]);

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
