/**
 * Lets a stop end that comes while kafkajs 2.2.4 makes new fetch loops, because the list of brokers changed.
 *
 * The stop then ends only the old loops. The new ones would ask the runner for batches, get none because it is stopped, and ask
 * again, for ever and without a turn of the event loop: the process freezes. A loop that is refused ends, and so do the others.
 */
interface Runner {
  readonly running: boolean;
}

interface RunnerPrototype {
  fetch(this: Runner, nodeId: string): Promise<unknown[]>;
}

/** Patches the class Runner. Call once. */
export function registerStoppedRunner(runnerClass: {
  prototype: RunnerPrototype;
}): void {
  const { prototype: runner } = runnerClass;
  const { fetch } = runner;
  runner.fetch = async function (nodeId) {
    // kafkajs tries again after a moment, and goes on with the stop.
    if (!this.running) throw new Error("This member is leaving its group.");
    return await fetch.call(this, nodeId);
  };
}
