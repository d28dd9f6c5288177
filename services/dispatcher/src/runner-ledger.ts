/**
 * A file with one line for each completion and each acknowledged commit of the deliver runner. Each line is written to the
 * kernel before the runner goes on, so it survives a kill: a fault run reads from the file which deliveries the kill may
 * have repeated. Several processes may append to one file, so each line carries the process id.
 */
import { openSync, writeSync } from "node:fs";
import type { RunnerObserver } from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";

/** Appends to `file` until the process ends. Throws if the file cannot be opened. */
export function openRunnerLedger(
  file: string,
  clock: Pick<Clock, "now" | "monotonic">,
): RunnerObserver {
  const descriptor = openSync(file, "a", 0o600);
  const write = (entry: Readonly<Record<string, unknown>>): void => {
    const stamp = { at: clock.now(), monotonicMs: clock.monotonic() };
    const line = JSON.stringify({ ...entry, pid: process.pid, ...stamp });
    writeSync(descriptor, `${line}\n`);
  };
  return {
    completed: (topic, partition, offset, lastOffset) =>
      write({ kind: "completed", topic, partition, offset, lastOffset }),
    committed: (topic, partition, offset, metadata) =>
      write({ kind: "committed", topic, partition, offset, metadata }),
  };
}
