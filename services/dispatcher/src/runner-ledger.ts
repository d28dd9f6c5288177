/**
 * What the deliver runner did with offsets, one line each, handed to the kernel before it goes on: a fault run that kills this
 * process reads from it what the kill may have repeated. Several processes may append to one file, so each line says whose it is.
 */
import { openSync, writeSync } from "node:fs";
import type { RunnerObserver } from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";

/** Appends to `file` for as long as the process lives. Throws where it cannot be opened. */
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
